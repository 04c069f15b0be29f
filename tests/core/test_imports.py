"""What imports what: no circle, with what is imported for types alone counted too."""

from __future__ import annotations

import graphlib

import grimp
import pytest

PACKAGES = ("xboot", "xboot_linux", "xboot_tccboot", "xboot_mirage", "xboot_hurd", "xboot_qemu", "xboot_bochs", "xboot_v86", "xboot_serial")


def circle(imports: dict[str, set[str]]) -> list[str]:
    """One circle, from a module back to itself; empty when there is none."""
    try:
        graphlib.TopologicalSorter(imports).prepare()
    except graphlib.CycleError as error:
        return list(error.args[1])
    return []


def test_no_circle() -> None:
    graph = grimp.build_graph(*PACKAGES)
    assert circle({module: graph.find_modules_directly_imported_by(module) for module in graph.modules}) == []


@pytest.mark.parametrize("imports", [{"a": {"b"}, "b": {"a"}}, {"a": {"b"}, "b": {"c"}, "c": {"a"}}])
def test_a_circle_is_found(imports: dict[str, set[str]]) -> None:
    assert circle(imports)
