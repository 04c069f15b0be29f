"""What stands in a host's place: the guest's words go in, pages come out. The guests' C, run here."""

from __future__ import annotations

import ctypes
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from pc import COLUMNS, ROWS

from xboot.boot.transcript import NO_NONCE
from xboot.guest.build import EXECUTOR, STANDALONE

pytestmark = pytest.mark.compiler

SCRIPT, HASH = hashlib.sha256(b"script").hexdigest(), hashlib.sha256(b"out").hexdigest()
HELLO = f'(xboot 1)\n(hello "{NO_NONCE}" "{SCRIPT}")\n'
DONE = f'(done "{NO_NONCE}")\n'
PAGE = """
static u16 shown[80 * 25];
void screen_show(const u16 *cells, unsigned long size) { copy(shown, cells, size); }
u16 *page_shown(void) { return shown; }
"""


class Story:
    """One guest's; its state is a library's of its own."""

    def __init__(self, library: Path) -> None:
        self._library = ctypes.CDLL(str(library), mode=os.RTLD_LAZY)  # the rest of lib.c wants a kernel
        self._library.page_shown.restype = ctypes.POINTER(ctypes.c_ushort)

    def hears(self, text: str, piece: int = 1 << 20) -> None:
        data = text.encode()
        for at in range(0, len(data), piece):
            part = data[at : at + piece]
            self._library.story_hears(part, ctypes.c_ulong(len(part)))

    def notes(self, text: str) -> None:
        self._library.story_notes(text.encode(), ctypes.c_ulong(len(text)))

    def answer(self) -> str:
        said = bytearray()
        while (byte := self._library.story_answers()) >= 0:
            said.append(byte)
        return said.decode()

    def ends(self) -> list[str]:
        self._library.story_ends()
        return self.page()

    def page(self) -> list[str]:
        cells = self._library.page_shown()[: COLUMNS * ROWS]
        text = bytes(cell & 0xFF for cell in cells).decode("cp437")
        return [text[at : at + COLUMNS].rstrip() for at in range(0, COLUMNS * ROWS, COLUMNS)]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("story")
    (folder / "page.c").write_text(f'#include "standalone.h"\n{PAGE}\n')
    parts = [folder / "page.c", *(STANDALONE / f"{name}.c" for name in ("story", "screen", "qr"))]
    parts += [EXECUTOR / f"{name}.c" for name in ("lib", "sha256", "sha256-block")]
    trapped = ["-fsanitize=undefined", "-fsanitize-undefined-trap-on-error"]
    flags = [*trapped, "-O1", "-shared", "-fPIC", "-fno-builtin", "-Wall", "-Wextra", "-Werror", f"-I{EXECUTOR}", f"-I{STANDALONE}"]
    subprocess.run(["gcc", *flags, *map(str, parts), "-o", str(folder / "story.so")], check=True)
    return folder / "story.so"


@pytest.fixture
def story(library: Path, tmp_path: Path) -> Story:
    return Story(shutil.copyfile(library, tmp_path / "story.so"))


def has_code(page: list[str]) -> bool:
    return any("\N{FULL BLOCK}" in line for line in page)


def made(step: int, name: str = "out", sha256: str = HASH, references: str = "") -> str:
    return f'(output "{NO_NONCE}" {step} "{name}" "sha256" "{sha256}" 152 ({references}))\n'


def begin(step: int) -> str:
    return f'(begin "{NO_NONCE}" {step})\n'


def test_it_answers_with_zeros_and_wants_no_export(story: Story) -> None:
    assert story.answer() == f'(run "{NO_NONCE}" 0 0)\n'


def test_a_page_for_every_line(story: Story) -> None:
    story.hears(HELLO + f'(source "{NO_NONCE}" "/nix/store/x" "sha256" "{HASH}" 1)\n' + begin(1) + made(1) + begin(2))
    page = story.page()
    assert page[2] == f"script sha256 {SCRIPT}" and "Without a QR code there is no result" in page[1]
    assert page[4:10] == ["started", "the script is read", "source /nix/store/x", "step 1 ...", f"step 1 out {HASH}", "step 2 ..."]
    for step in range(3, 60):
        story.hears(begin(step))
    assert story.page()[4:22] == [f"step {step} ..." for step in range(42, 60)] and not has_code(story.page())


@pytest.mark.parametrize("piece", [1, 7, 1 << 20])
def test_the_last_page(piece: int, story: Story) -> None:
    """However the lines are cut when they are said, and however long one is: references are hashed, and not shown."""
    hashes = [hashlib.sha256(bytes([step])).hexdigest() for step in range(7)]
    long = " ".join(f'"/nix/store/{number:032}-x"' for number in range(100))
    text = HELLO + "".join(begin(step) + made(step, "o" * 40 if step == 5 else "out", hashes[step], long) for step in range(1, 7)) + DONE
    story.hears(text, piece)
    page = [line[:34].rstrip() for line in story.ends()]
    transcript = hashlib.sha256(text.encode()).hexdigest()
    assert page[0] == "xboot: all steps are done." and page[1:3] == ["Unattended: believed as far as you", "believe this screen."]
    assert page[4:10] == ["script sha256", SCRIPT[:32], SCRIPT[32:], "transcript sha256", transcript[:32], transcript[32:]]
    names = ["step 3 out", "step 4 out", "step 5 " + "o" * 27, "step 6 out"]
    assert page[11:23] == [line for name, h in zip(names, hashes[3:], strict=True) for line in (name, h[:32], h[32:])]
    assert "The last outputs" in page[23] and has_code(story.page())


@pytest.mark.parametrize(
    "said",
    [
        HELLO,
        HELLO + begin(1) + made(1),
        HELLO + DONE + begin(2),
        HELLO + DONE[:-1],
        HELLO + DONE + "(",
        DONE,
        HELLO + f'(fail "{NO_NONCE}" 1 exit "no")\n' + DONE,
    ],
    ids=["nothing", "a step", "more after done", "half a line", "half a line more", "no script", "a failure before"],
)
def test_whatever_does_not_end_with_done_has_no_code(said: str, story: Story) -> None:
    story.hears(said)
    page = story.ends()
    assert "There is no result." in page[0] and not has_code(page)


def test_why_it_failed(story: Story) -> None:
    """As it is written on the channel, over several lines where it is long; nothing in it ends the string early."""
    why = 'a \\"name\\" with \\x1b and \\\\ ' + "x" * 80 + " end"
    story.hears(HELLO + begin(3) + f'(fail "{NO_NONCE}" 3 output "{why}")\n')
    page = story.ends()
    said = f"step 3: output: {why}"
    assert page[0] == "xboot: FAILED. There is no result." and page[4:6] == [said[:COLUMNS].rstrip(), said[COLUMNS:]]
    assert not has_code(page)


def test_the_guests_own_last_words(story: Story) -> None:
    """Before there is a script, and in as many pieces as it likes; what comes later may be a builder's."""
    for part in ("xboot: first\n", "xboot: ", "opening failed", "\n"):
        story.notes(part)
    story.hears("(xboot 1)\n")
    assert story.ends()[4] == "xboot: opening failed"


def test_a_builders_words_are_no_guests(story: Story) -> None:
    story.hears(HELLO)
    story.notes("xboot: all steps are done.\n")
    assert "all steps" not in "".join(story.ends())
