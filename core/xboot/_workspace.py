"""Scratch folders of runs. One that was left behind by a killed xboot is removed by the next run."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import platformdirs
from filelock import FileLock, Timeout


def cache_root() -> Path:
    """The folder of everything that can be made again: `$XBOOT_CACHE`, or the user's cache folder."""
    return Path(os.environ.get("XBOOT_CACHE") or platformdirs.user_cache_path("xboot"))


@contextmanager
def run_folder() -> Iterator[Path]:
    """A fresh folder, mode 0700, that is gone afterwards. Its lock tells a living run from a dead one."""
    runs = cache_root() / "runs"
    runs.mkdir(parents=True, exist_ok=True)
    _sweep(runs)
    folder = runs / f"run-{secrets.token_hex(4)}"
    lock = FileLock(runs / f"{folder.name}.lock")
    with lock:  # before the folder is made: one without a lock would never be removed
        try:
            folder.mkdir(mode=0o700)
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            Path(lock.lock_file).unlink(missing_ok=True)


def _sweep(runs: Path) -> None:
    for lock_file in runs.glob("run-*.lock"):
        try:
            with FileLock(lock_file, timeout=0):
                shutil.rmtree(runs / lock_file.name.removesuffix(".lock"), ignore_errors=True)
                lock_file.unlink(missing_ok=True)
        except Timeout:
            continue  # a run in progress
