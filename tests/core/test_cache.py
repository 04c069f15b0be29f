"""An entry of the cache is what it was when it was made, or is made anew."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from xboot.cache import Cache


@pytest.mark.parametrize("count", [1, 2500])
def test_a_changed_file_is_found_however_many_there_are(count: int, tmp_path: Path) -> None:
    """Also with the size and times that it had."""
    made = []

    def make(work: Path) -> None:
        made.append(work)
        for number in range(count):
            (work / str(number)).write_text("right")

    cache = Cache(tmp_path)
    file = cache.folder("kind", {"a": "b"}, make) / str(count - 1)
    times = file.stat()
    file.write_text("wrong")
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert cache.folder("kind", {"a": "b"}, make) == file.parent
    assert file.read_text() == "right" and len(made) == 2
    cache.folder("kind", {"a": "b"}, make)
    assert len(made) == 2
