"""Each known fault in docs/assurance.md has a file that replays it, whose head names it, and that is run."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from xboot.testing.builders import ATTACKS, HISTORY, HOSTILE, load_builders

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "assurance.md"
ROW = re.compile(r"^\| (CVE-\d{4}-\d{4,}) \| (.+) \| (.+) \| (.+) \|$", re.MULTILINE)
OF_ALL = ("processor.c", "reads-secrets.sh")
"""Builders that are about a whole kind of faults, and name none."""
DEMANDED = {
    "CVE-2024-27297", "CVE-2024-38531", "CVE-2024-45593", "CVE-2025-46415", "CVE-2025-46416", "CVE-2025-52991", "CVE-2025-52992",
    "CVE-2025-52993", "CVE-2026-39860", "CVE-2026-44028",
}  # fmt: skip


def rows() -> dict[str, list[str]]:
    """Fault → the files that replay it."""
    found: dict[str, list[str]] = {}
    for cve, _, files, _ in ROW.findall(PAGE.read_text()):
        assert cve not in found, f"{cve} has two rows"
        found[cve] = re.findall(r"`([^`]+)`", files)
    return found


def test_every_fault_is_replayed_by_files_that_exist_and_are_run() -> None:
    table = rows()
    assert table.keys() >= DEMANDED
    run = {f"history/{builder.file.name}" for builder in load_builders(HISTORY).values()} | {
        builder.file.name for builder in ATTACKS.values()
    }
    for cve, files in table.items():
        assert files, f"nothing replays {cve}"
        for file in files:
            if "::" in file:
                path, _, test = file.partition("::")
                tests = {node.name for node in ast.walk(ast.parse((ROOT / path).read_text())) if isinstance(node, ast.FunctionDef)}
                assert test in tests, f"{cve}: {path} has no {test}"
            else:
                assert (HOSTILE / file).is_file(), f"{cve}: there is no {file}"
                assert file in run, f"{cve}: {file} is not run by the suite"


def test_heads_and_rows_name_the_same() -> None:
    table = rows()
    builders = {**ATTACKS, **{f"history/{name}": builder for name, builder in load_builders(HISTORY).items()}}
    said = {(cve, str(b.file.relative_to(HOSTILE))) for b in builders.values() for cve in b.cves}
    written = {(cve, file) for cve, files in table.items() for file in files if "::" not in file and file not in OF_ALL}
    assert said == written


def test_history_is_of_builders_that_gain_nothing() -> None:
    """All of them are steps of one run, so none may fail; and each output is known."""
    for builder in load_builders(HISTORY).values():
        assert builder.cves and builder.wins and builder.nar_sha256, builder.name
        assert builder.fails is None, builder.name
