"""The pictures of the docs are those that tools/pictures.py draws; each is on a page, and says in words what it shows."""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

import pictures

DOCS = pictures.FOLDER.parent
SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("name", pictures.PICTURES)
def test_what_is_there_is_what_is_drawn(name: str) -> None:
    assert (pictures.FOLDER / f"{name}.svg").read_text() == pictures.PICTURES[name](), "run tools/pictures.py"


def test_every_picture_is_on_a_page_with_words_beside_it() -> None:
    pages = "".join(page.read_text() for page in DOCS.rglob("*.md"))
    for file in pictures.FOLDER.iterdir():
        assert file.stem in pictures.PICTURES
        (said,) = (part.rpartition("![")[2] for part in pages.split(f"](pictures/{file.name})")[:-1])
        assert len(said.split()) > 5


@pytest.mark.parametrize("name", pictures.PICTURES)
def test_nothing_lies_outside_of_the_picture(name: str) -> None:
    root = ET.fromstring(pictures.PICTURES[name]())
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    assert root.find(f"{SVG}title") is not None and root.find(f"{SVG}desc") is not None
    boxes = root.findall(f"{SVG}rect")
    assert len(boxes) >= 3
    for box in boxes:
        x, y, wide, high = (float(box.attrib[side]) for side in ("x", "y", "width", "height"))
        assert x >= 0 and y >= 0 and x + wide <= width and y + high <= height
    for said in root.findall(f"{SVG}text"):  # DejaVu Sans needs 9 units a character at most, at 14 of size
        x, y = float(said.attrib["x"]), float(said.attrib["y"])
        room = {"start": width - x, "end": x, "middle": 2 * min(x, width - x)}[said.attrib["text-anchor"]]
        assert said.text and y <= height and len(said.text) * 9 <= room, said.text
