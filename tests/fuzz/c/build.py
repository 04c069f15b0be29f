"""Build one fuzzing target of the executor: its readers as a library, with libFuzzer and clang's sanitizers. No builder ever runs in it."""

from __future__ import annotations

import subprocess
from pathlib import Path

HERE = Path(__file__).parent
GUEST = HERE.parents[2] / "core" / "xboot" / "guest"
EXECUTOR, STANDALONE = GUEST / "executor", GUEST / "standalone"
TARGETS = {
    "script": ("lib", "sexp"),
    "string": ("lib", "sexp"),
    "nar": ("lib", "sexp", "script", "sha256", "sha256-block"),
    "channel": ("lib", "sexp"),
    "story": ("lib", "sha256", "sha256-block", "qr", "screen"),
}
"""Target → the guests' files that are linked to it; the file that it attacks is included by the target itself."""

_FLAGS = (
    "-g", "-O2", "-fno-builtin", "-fsanitize=fuzzer,address,undefined", "-fno-sanitize-recover=all", "-Wall", "-Wextra", "-Werror",
    "-Wno-unused-function",
    "-Dmemcpy=own_memcpy", "-Dmemmove=own_memmove", "-Dmemset=own_memset",  # the executor's own, beside the sanitizer's
)  # fmt: skip


def build(target: str, folder: Path, guest: Path = GUEST) -> Path:
    """The target as a program in `folder`, with the sources in `guest`. Raises CalledProcessError when clang refuses them."""
    program = folder / f"fuzz-{target}"
    folders = [guest / place.name for place in (EXECUTOR, STANDALONE)]
    attacked, *files = (next((p for f in folders if (p := f / f"{name}.c").exists()), name) for name in (target, *TARGETS[target]))
    subprocess.run(
        ["clang", *_FLAGS, f'-DEXECUTOR_FILE="{attacked}"', *(f"-I{f}" for f in folders), HERE / f"{target}.c", *files, "-o", program],
        check=True,
        capture_output=True,
    )
    return program
