"""The QR code of guests that run by themselves, read back by somebody else's reader."""

from __future__ import annotations

import ctypes
import math
import os
import random
import subprocess
from collections.abc import Callable

import pytest
import zxingcpp
from pc import Picture

from xboot.guest.build import EXECUTOR, STANDALONE

pytestmark = pytest.mark.compiler

SIZE, QUIET = 37, 4
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ:"


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], list[list[int]]]:
    """Text → the rows of modules that the guests' C makes of it."""
    library = tmp_path_factory.mktemp("qr") / "qr.so"
    sources = [STANDALONE / "qr.c", EXECUTOR / "lib.c"]
    flags = ["-shared", "-fPIC", "-fno-builtin", "-Wall", "-Wextra", "-Werror", f"-I{EXECUTOR}", f"-I{STANDALONE}"]
    subprocess.run(["gcc", *flags, *map(str, sources), "-o", str(library)], check=True)
    qr_code = ctypes.CDLL(str(library), mode=os.RTLD_LAZY).qr_code  # the rest of lib.c wants a kernel

    def made(text: str) -> list[list[int]]:
        modules = (ctypes.c_ubyte * SIZE * SIZE)()
        qr_code(text.encode(), modules)
        return [list(row) for row in modules]

    return made


def drawn(modules: list[list[int]], scale: int = 4) -> Picture:
    """As on the screen: light ground, four modules of it around."""
    wide = (SIZE + 2 * QUIET) * scale
    points = bytearray(b"\xff" * wide * wide)
    for y, row in enumerate(modules):
        for x, dark in enumerate(row):
            for line in range(scale if dark else 0):
                at = ((y + QUIET) * scale + line) * wide + (x + QUIET) * scale
                points[at : at + scale] = bytes(scale)
    return Picture(wide, wide, bytes(points))


def test_any_text_that_fits_is_read_back(code: Callable[[str], list[list[int]]]) -> None:
    numbers = random.Random(1)
    for length in [*range(1, 20), *range(120, 155), 154, 136]:
        text = "".join(numbers.choices(ALPHABET, k=length))
        assert drawn(code(text)).code() == text


def test_it_is_of_the_kind_that_is_said(code: Callable[[str], list[list[int]]]) -> None:
    """Version 5, level L: so the reader says, who finds both out of the code."""
    picture = drawn(code("XBOOT1:" + "A" * 64))
    (found,) = zxingcpp.read_barcodes(memoryview(picture.points).cast("B", (picture.height, picture.width)))
    assert found.ec_level == "L" and found.content_type.name == "Text"


def test_a_stain_is_mended(code: Callable[[str], list[list[int]]]) -> None:
    """What level L is for: some modules that a photograph shows wrongly. And a code that is wrong throughout is none."""
    modules = code("XBOOT1:" + "0123456789ABCDEF" * 8)
    for y in range(15, 21):
        modules[y][15:21] = [1] * 6
    assert drawn(modules).code() == "XBOOT1:" + "0123456789ABCDEF" * 8
    for y in range(10, 27):
        modules[y][10:27] = [1] * 17
    assert drawn(modules).code() == ""


def test_it_is_read_from_a_photograph(code: Callable[[str], list[list[int]]]) -> None:
    """Cells that are higher than wide, the camera held askew, out of focus, and noise."""
    text = "XBOOT1:" + "0123456789ABCDEF" * 8
    flat = drawn(code(text), 6)
    numbers, turn = random.Random(2), math.radians(7)
    wide = high = 420
    points = bytearray()
    for y in range(high):
        for x in range(wide):
            dx, dy = (x - wide / 2) * 1.05, (y - high / 2) * 0.85
            at_x = int(dx * math.cos(turn) - dy * math.sin(turn) + flat.width / 2)
            at_y = int(dx * math.sin(turn) + dy * math.cos(turn) + flat.height / 2)
            near = [
                flat.points[v * flat.width + u] if 0 <= u < flat.width and 0 <= v < flat.height else 20
                for u, v in ((at_x, at_y), (at_x + 1, at_y), (at_x, at_y + 1), (at_x + 1, at_y + 1))
            ]
            points.append(max(0, min(255, int(sum(near) / 4 * 0.7 + 25 + numbers.gauss(0, 12)))))
    assert Picture(wide, high, bytes(points)).code() == text
