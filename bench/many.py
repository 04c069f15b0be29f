"""A plan of many steps with many bytes of sources, in guests that could never hold all of it: one boot a step.

    python -m bench.many [--steps N] [--mebibytes N] [--memory MIB] [--folder DIR] [BACKEND…]

Usually 200 steps and 6 GiB of sources, which differ from each other and are the same each time. Each step has a source of its own, and
sees the outputs of one or two steps before it: it reads its source to the end, and writes down what it found and what those have. So the
last output is right only if all are, and it is the same on every kernel. Needs twice the sources' size in DIR, which must be an empty
folder or one that this program filled with the same plan. The seconds are those of the whole command.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bench.start import XBOOT

_HEAD = """\
[recipe]
system = "i686-linux"
default = ["step{last}"]

[source.busybox]
type = "debian"
package = "busybox-static"
architecture = "i386"
select = ["bin/busybox"]
links = {{ "bin/sh" = "busybox", "bin/md5sum" = "busybox", "bin/cat" = "busybox" }}
"""
_STEP = """
[source.part{n}]
type = "file"
path = "part{n}"

[derivation.step{n}]
builder = "{{busybox}}/bin/sh"
args = ["-c", "{{busybox}}/bin/md5sum < {{part{n}}} > $out; {{busybox}}/bin/cat {seen} | {{busybox}}/bin/md5sum >> $out"]
"""


def write_plan(folder: Path, steps: int, size: int) -> Path:
    """The recipe of a plan with `size` bytes of sources in all, below `folder`. The same arguments give the same plan to the byte."""
    each = size // steps
    text = _HEAD.format(last=steps)
    for n in range(1, steps + 1):
        part = folder / f"part{n}"
        if not part.exists() or part.stat().st_size != each:
            part.write_bytes(random.Random(n).randbytes(each))
        seen = " ".join(f"{{step{before}}}" for before in sorted({n - 1, n // 2} - {0})) or "/dev/null"
        text += _STEP.format(n=n, seen=seen)
    recipe = folder / "recipe.toml"
    recipe.write_text(text)
    return recipe


def main(arguments: Sequence[str] | None = None) -> None:
    """Print one line a backend."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--mebibytes", type=int, default=6144)
    parser.add_argument("--memory", type=int, default=1024, help="MiB for each guest; 0: the backend chooses")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("backends", nargs="*")
    wanted = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as temporary:
        folder = wanted.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        recipe = write_plan(folder, wanted.steps, wanted.mebibytes << 20)
        hashes = set()
        memory = ["--memory", str(wanted.memory)] if wanted.memory else []
        print(f"{'backend':<10}{'boots':>7}{'seconds':>10}{'a boot':>9}  last output")
        for backend in wanted.backends or ["linux"]:
            started = time.monotonic()
            last, boots = _run(backend, recipe, folder, memory)
            seconds = time.monotonic() - started
            hashes.add(last)
            print(f"{backend:<10}{boots:>7}{seconds:>10.0f}{seconds / boots:>9.2f}  {last}", flush=True)
        if len(hashes) != 1:
            raise SystemExit("the hashes differ")


def _run(backend: str, recipe: Path, folder: Path, memory: Sequence[str]) -> tuple[str, int]:
    """The last output's hash, and how many boots there were. Raises when the run fails."""
    command = [
        *XBOOT,
        "run",
        "--json",
        "--quiet",
        "--accel",
        "tcg",
        "--seal",
        "steps",
        "--fresh",
        "--backend",
        backend,
        *memory,
        str(recipe),
    ]
    env = os.environ | {name: str(folder / at) for name, at in (("XBOOT_RESULTS", "results"), ("XBOOT_RESULTS_KEY", "key"))}
    done = subprocess.run([*command, str(recipe)], check=False, stdout=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL, env=env)
    if done.returncode:
        raise SystemExit(f"{backend}: xboot ended with {done.returncode}")
    report = json.loads(done.stdout)
    return str(report["outputs"][-1]["narHash"]), len(report["segments"]["segments"])


if __name__ == "__main__":
    main()
