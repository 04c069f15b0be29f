"""A few of csmith's programs, always the same, compiled and run on every kernel. `make differences` takes more."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from xboot.plugins import Plugins
from xboot.voter import Voter

sys.path.insert(0, str(Path(__file__).parent))

import csmith

COUNT, SEED = 8, 1


@pytest.mark.boot
@pytest.mark.compiler
def test_random_programs_come_out_alike(tmp_path: Path) -> None:
    script = csmith.script(tmp_path, COUNT, SEED)
    voters = [Voter(name) for name, backend in sorted(Plugins.load().backends.items()) if "i686-linux" in backend.info.systems]
    ended, differ = csmith.compared({voter: csmith.lines(script, voter, tmp_path / voter.backend) for voter in voters})
    assert differ == []
    assert len(ended) >= COUNT // 2, "most programs come to an end"


def test_what_differs_is_said() -> None:
    one, two = Voter("one"), Voter("two")
    said = {"a.c": "0 1", "b.c": "0 2", "c.c": "124 ", "d.c": "not compiled", "e.c": "0 5"}
    assert csmith.compared({one: said, two: said}) == (["a.c", "b.c", "e.c"], [])
    ended, differ = csmith.compared({one: said, two: {**said, "b.c": "0 3", "c.c": "0 9", "e.c": "not compiled"}})
    assert ended == ["a.c", "b.c"]
    assert [line.partition(":")[0] for line in differ] == ["e.c", "b.c"]
