"""Tables of docs pages that a tool of this folder writes and a test holds: they stand between two marks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path


def rows(columns: Sequence[str], lines: Mapping[str, Sequence[str]]) -> str:
    """A table in Markdown: the columns' heads, then a line for each name."""
    table = [f"| | {' | '.join(columns)} |", f"|---|{'---|' * len(columns)}"]
    return "\n".join([*table, *(f"| {name} | {' | '.join(cells)} |" for name, cells in lines.items())]) + "\n"


def put(text: str, name: str, table: str) -> str:
    """The page's text with the table of this name in its place. Raises ValueError when there is no such place."""
    begin, end = f"<!-- {name}: written by tests/world, held by `make test` -->\n", f"<!-- end of {name} -->\n"
    before, _, rest = text.partition(begin)
    _, _, after = rest.partition(end)
    if not rest or end not in rest:
        raise ValueError(f"the page has no lines {begin.strip()!r} and {end.strip()!r}")
    return f"{before}{begin}\n{table}\n{end}{after}"


def write(page: Path, name: str, table: str) -> None:
    """Put the table into the page's file."""
    page.write_text(put(page.read_text(), name, table))
