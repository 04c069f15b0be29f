"""Build one fuzzing target of the executor: its readers as a library, with libFuzzer and clang's sanitizers. No builder ever runs in it."""

from __future__ import annotations

import subprocess
from pathlib import Path

HERE = Path(__file__).parent
EXECUTOR = HERE.parents[2] / "core" / "xboot" / "guest" / "executor"
TARGETS = {
    "script": ("lib", "sexp"),
    "string": ("lib", "sexp"),
    "nar": ("lib", "sexp", "script", "sha256", "sha256-block"),
    "channel": ("lib", "sexp"),
}
"""Target → the executor's files that are linked to it; the file that it attacks is included by the target itself."""

_FLAGS = (
    "-g", "-O2", "-fno-builtin", "-fsanitize=fuzzer,address,undefined", "-fno-sanitize-recover=all", "-Wall", "-Wextra", "-Werror",
    "-Wno-unused-function",
    "-Dmemcpy=own_memcpy", "-Dmemmove=own_memmove", "-Dmemset=own_memset",  # the executor's own, beside the sanitizer's
)  # fmt: skip


def build(target: str, folder: Path, executor: Path = EXECUTOR) -> Path:
    """The target as a program in `folder`, with the sources in `executor`. Raises CalledProcessError when clang refuses them."""
    program = folder / f"fuzz-{target}"
    included = f'-DEXECUTOR_FILE="{executor / target}.c"'
    files = [str(executor / f"{name}.c") for name in TARGETS[target]]
    subprocess.run(
        ["clang", *_FLAGS, included, f"-I{executor}", str(HERE / f"{target}.c"), *files, "-o", str(program)],
        check=True,
        capture_output=True,
    )
    return program
