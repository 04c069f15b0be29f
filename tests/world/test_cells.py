"""What the example world's record says, and how cells are read; `make test-world` builds the cells themselves."""

from __future__ import annotations

import json
import runpy
import shutil
from pathlib import Path

import cells
import pytest
import worldtable
from cells import Cell

ROOT = Path(__file__).parents[2]
ONE, OTHER = Cell("i686", "linux", "lua", "sha256-a", 12.04), Cell("i686", "hurd", "lua", "sha256-b", 3.0)


def test_the_page_has_the_cells_that_were_recorded() -> None:
    page = (ROOT / "docs" / "world.md").read_text()
    found = cells.recorded((cells.HERE / "cells.txt").read_text())
    assert cells.disagreeing(found) == []
    assert worldtable.put(page, "cells", cells.table(found)) == page
    assert {c.program for c in found} <= set(cells.PROGRAMS)


def test_two_hashes_of_a_program_are_named() -> None:
    (line,) = cells.disagreeing([ONE, OTHER])
    assert line == "i686 lua differs: sha256-a on linux; sha256-b on hurd"
    assert cells.disagreeing([ONE, Cell("i686", "hurd", "lua", "sha256-a", 1.0), Cell("i686", "hurd", "zlib", "sha256-b", 1.0)]) == []


def test_a_record_is_read_as_it_was_written() -> None:
    again = Cell("i686", "linux", "lua", "sha256-c", 1.0)
    assert cells.recorded(cells.record([ONE, OTHER])) == [Cell("i686", "linux", "lua", "sha256-a", 12.0), OTHER]
    assert cells.together([OTHER, ONE], [again]) == [again, OTHER]
    unmeasured = Cell("i686", "linux", "zlib", "sha256-d", None)
    assert cells.recorded(cells.record([unmeasured])) == [unmeasured]


def test_seconds_stand_beside_those_of_linux() -> None:
    found = [Cell("i686", voter, "lua", "sha256-a", seconds) for voter, seconds in (("linux", 10.0), ("mirage", None), ("tccboot", 7.5))]
    assert cells.table(found).splitlines()[2:] == ["| i686 `lua` | 10 s | built | 8 s (0.75) | not run | `sha256-a` |"]


def test_two_that_write_at_once_lose_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cells.txt").write_text(cells.record([ONE]))
    shutil.copy(cells.PAGE, tmp_path / "page.md")
    monkeypatch.setattr(cells, "RECORD", tmp_path / "cells.txt")
    monkeypatch.setattr(cells, "PAGE", tmp_path / "page.md")
    more = Cell("i686", "mirage", "lua", "sha256-a", 1.0)
    cells.write([more])
    assert cells.recorded((tmp_path / "cells.txt").read_text()) == [Cell("i686", "linux", "lua", "sha256-a", 12.0), more]
    cells.write([Cell("i686", "linux", "zlib", "sha256-z", 47.35), Cell("i686", "tccboot", "zlib", "sha256-z", 37.24)])
    page = (tmp_path / "page.md").read_text()
    assert worldtable.put(page, "cells", cells.table(cells.recorded((tmp_path / "cells.txt").read_text()))) == page
    cells.write([OTHER])  # another hash: it is not recorded
    assert OTHER not in cells.recorded((tmp_path / "cells.txt").read_text())


def test_what_was_not_run_is_no_cell() -> None:
    ran = {"path": "/nix/store/" + "a" * 32 + "-gnu-sed", "status": "unknown", "narHash": "sha256-x", "seconds": 2.0}
    not_run = {"path": "/nix/store/" + "b" * 32 + "-lua", "status": "not run", "narHash": None, "seconds": None}
    assert cells.cells_of({"outputs": [ran, not_run]}, "i686", "hurd", 3.5) == [Cell("i686", "hurd", "gnu-sed", "sha256-x", 3.5)]


def test_a_system_has_its_own_cells() -> None:
    ran = {"path": "/nix/store/" + "a" * 32 + "-lua-x86_64", "status": "unknown", "narHash": "sha256-x", "seconds": 2.0}
    assert cells.derivation("lua", "x86_64") == "lua-x86_64"
    (cell,) = cells.cells_of({"outputs": [ran]}, "x86_64", "mirage", 2.0)
    assert cell == Cell("x86_64", "mirage", "lua", "sha256-x", 2.0)
    assert cells.together([Cell("x86_64", "hurd", "lua", "sha256-x", 2.0)], [cell, ONE]) == [ONE, cell]  # hurd has no such system
    assert cells.table([ONE, cell]).splitlines()[2:] == [
        "| i686 `lua` | 12 s | not run | not run | not run | `sha256-a` |",
        "| x86_64 `lua` | not run | 2 s | not run | not offered | `sha256-x` |",
    ]


def test_a_skip_for_the_machines_sake_is_refused() -> None:
    """Python's words in test_signal.py; a builder that recorded how many such skips there were would have two outputs."""
    harness = runpy.run_path(str(cells.EXAMPLE / "pythontests.py"))
    slow = ("a", "timeout: likely cause: machine too slow or load too high")
    tick = ("b", "detected itimer resolution (0.010 s.) too high (> 10 ms.) on this platform (or system too busy)")
    assert harness["busy"]([slow, ("c", "Windows specific"), tick]) == [slow, tick]


def test_a_page_without_a_place_for_the_table_is_an_error() -> None:
    with pytest.raises(ValueError, match="has no lines"):
        worldtable.put("text\n", "cells", "table\n")


def test_the_lock_has_all_that_the_example_takes() -> None:
    """So a security update of Debian's moves no store path, and none of the example's hashes."""
    from xboot.parts import locked
    from xboot.recipe import load_recipe

    wanted = {(s.package, s.architecture) for s in load_recipe(cells.EXAMPLE / "recipe.toml").source.values() if s.type == "debian"}
    have = {(part.name, part.architecture) for part in locked().parts}
    missing = {(name, architecture) for name, architecture in wanted if not {(name, architecture), (name, "all")} & have}
    assert missing == set()
    assert set(json.loads((cells.EXAMPLE / "recipe.lock").read_text())["sources"]) > set()
