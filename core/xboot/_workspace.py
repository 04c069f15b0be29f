"""Scratch folders of runs. One that was left behind by a killed xboot is removed by the next run."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import platformdirs
from filelock import FileLock, Timeout


def cache_root() -> Path:
    """The folder of everything that can be made again: `$XBOOT_CACHE`, or the user's cache folder."""
    return Path(os.environ.get("XBOOT_CACHE") or platformdirs.user_cache_path("xboot")).absolute()


def run_folder() -> contextlib.AbstractContextManager[Path]:
    """A fresh folder in the cache, mode 0700, that is gone afterwards. Its lock tells a living run from a dead one."""
    return scratch_folder(cache_root() / "runs")


@contextlib.contextmanager
def scratch_folder(runs: Path) -> Iterator[Path]:
    """A fresh folder below `runs`, mode 0700, that is gone afterwards. Those that dead runs left there are removed."""
    runs.mkdir(parents=True, exist_ok=True)
    _sweep(runs)
    folder = runs / f"run-{secrets.token_hex(4)}"
    lock = FileLock(runs / f"{folder.name}.lock")
    with lock:  # before the folder is made: one without a lock would never be removed
        try:
            folder.mkdir(mode=0o700)
            yield folder
        finally:
            _remove(folder)
            Path(lock.lock_file).unlink(missing_ok=True)


def _sweep(runs: Path) -> None:
    for lock_file in runs.glob("run-*.lock"):
        try:
            with FileLock(lock_file, timeout=0):
                _remove(runs / lock_file.name.removesuffix(".lock"))
                lock_file.unlink(missing_ok=True)
        except Timeout:
            continue  # a run in progress


def _remove(folder: Path) -> None:
    """Remove `folder` as far as that is possible. A machine that was taken over may have left folders in each other, deeper than Python
    can follow, which calls itself for each; `rm` can.
    """
    with contextlib.suppress(RecursionError):
        shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        subprocess.run(["rm", "-rf", "--", folder], stderr=subprocess.DEVNULL, check=False)
