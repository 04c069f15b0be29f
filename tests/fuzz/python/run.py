"""Feed one target with coverage: `python tests/fuzz/python/run.py TARGET [libFuzzer's options and corpus folders]`.

Needs atheris (the extra `fuzz`). A crash is written to the folder where this is run; what it was belongs, made small
(`-minimize_crash=1`), into tests/fuzz/python/corpus/TARGET, where the ordinary tests find it.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).parent))
with atheris.instrument_imports(include=["xboot", "tomllib", "tarfile"]):
    import targets

from seeds import SEEDS


def main() -> None:
    """Run libFuzzer on the target that the command line names, beginning with its seeds."""
    if len(sys.argv) < 2 or sys.argv[1] not in targets.TARGETS:
        sys.exit(f"usage: run.py TARGET [options]; targets: {' '.join(targets.TARGETS)}")
    name = sys.argv.pop(1)
    seeds = targets.folder() / "seeds"
    seeds.mkdir()
    kept = Path(__file__).parent / "corpus" / name
    for number, seed in enumerate(SEEDS[name]):
        (seeds / str(number)).write_bytes(seed)
    folders = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    options = [argument for argument in sys.argv[1:] if argument.startswith("-")]
    if not any(Path(folder).is_file() for folder in folders):
        folders += [str(seeds), *([str(kept)] if kept.is_dir() else [])]
    child = os.fork()  # libFuzzer ends its process without a word to anybody, and the folder must go
    if child:
        try:
            status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        finally:
            shutil.rmtree(targets.folder(), ignore_errors=True)
        sys.exit(status)
    atheris.Setup([sys.argv[0], *options, *folders], lambda data: targets.execute(name, data))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
