"""Media that run without a host: no serial port, and a screen that is photographed."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from pc import COLUMNS, ROWS, Picture, ended, running

pytestmark = pytest.mark.boot

XBOOT = [sys.executable, "-m", "xboot"]
HELLO = Path(__file__).parents[2] / "examples" / "hello" / "recipe.toml"
HASH = "64fd28a0675e305bd9b02b490689dab5755c8ea5a233b374e55e3a2d7cc5d714"
KERNELS = ("tccboot", "linux", "hurd", "mirage")

FAILING = """
[recipe]
system = "i686-linux"
default = ["liar"]

[source.busybox]
type = "debian"
package = "busybox-static"
architecture = "i386"
select = ["bin/busybox"]
links = { "bin/sh" = "busybox" }

[derivation.first]
builder = "{busybox}/bin/sh"
args = ["-c", "echo one > $out"]

[derivation.liar]
builder = "{busybox}/bin/sh"
args = ["-c", "echo 'xboot: all steps are done. LIES'; : {first}; exit 3"]

[derivation.honest]
builder = "{busybox}/bin/sh"
args = ["-c", "echo {first} {busybox} > $out"]
"""


def image(path: Path, target: str, backend: str, *more: str) -> subprocess.CompletedProcess[str]:
    command = [*XBOOT, "image", "-b", backend, "--iso", str(path), *more, target]
    return subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)


@pytest.fixture(scope="session")
def medium(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Backend → its medium for hello, once."""
    folder = tmp_path_factory.mktemp("standalone")

    def write(backend: str) -> Path:
        path = folder / f"{backend}.iso"
        if not path.exists():
            done = image(path, str(HELLO), backend, "--standalone")
            assert done.returncode == 0, done.stderr
            assert "unattended" in done.stdout
        return path

    return write


def run(path: Path, target: str, backend: str) -> Path:
    """An attended run, each step of which has a boot of its own; its report."""
    with path.open("w") as file:
        subprocess.run([*XBOOT, "run", "-q", "--json", "-b", backend, target], stdout=file, check=True, stdin=subprocess.DEVNULL)
    return path


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of hello."""
    return run(tmp_path_factory.mktemp("report") / "report.json", str(HELLO), "hurd")


def check(text: str, report: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*XBOOT, "check-screen", text, str(report)], capture_output=True, text=True, check=False)


def digits(text: list[str], title: str) -> str:
    """The hash below a title, as somebody reads it from the left of the screen."""
    (row,) = [at for at, line in enumerate(text) if line[:34].strip() == title]
    return text[row + 1][:32] + text[row + 2][:32]


def shown(text: list[str], picture: Picture) -> bool:
    """Whether the screenshot shows the text's hashes: a digit looks the same wherever it stands (but for the one that the cursor
    stands on), and no two look alike.
    """
    looks: dict[str, Counter[bytes]] = {}
    for row, line in enumerate(text):
        for column, character in enumerate(line[:32] if re.fullmatch("[0-9a-f]{32}", line[:32]) else ""):
            looks.setdefault(character, Counter())[picture.cell(row, column)] += 1
    usual = {character: found.most_common(1)[0] for character, found in looks.items()}
    odd = sum(looks[character].total() - count for character, (_, count) in usual.items())
    return odd <= 1 and len({look for look, _ in usual.values()}) == len(usual) == 16


@pytest.mark.parametrize("backend", KERNELS)
def test_the_screen_says_what_came_out(backend: str, medium: Callable[[str], Path], report: Path) -> None:
    """Text and code, read back from the screen, agree with a run on another kernel that a host listened to."""
    with running(medium(backend)) as pc:
        text = pc.wait(ended)
        picture = pc.picture()
    assert text[0].startswith("xboot: all steps are done."), "\n".join(text)
    assert "believed as far as you" in text[1]
    assert digits(text, "step 1 out") == HASH
    script, transcript = digits(text, "script sha256"), digits(text, "transcript sha256")
    assert picture.code() == f"XBOOT1:{script}:{transcript}".upper()
    assert (picture.width, picture.height) == (COLUMNS * 9, ROWS * 16)
    assert shown(text, picture)
    agreed = check(picture.code(), report)
    assert agreed.returncode == 0, agreed.stderr
    assert "agrees" in agreed.stderr and "unattended: believed as far as you believe the screen" in agreed.stderr
    typed = check(f"{transcript[:32]}\n {transcript[32:]}", report)
    assert typed.returncode == 0, typed.stderr


def test_several_steps_that_refer_to_each_other(tmp_path: Path) -> None:
    """In one boot without a host, and in one for each step with one: the same transcript."""
    (tmp_path / "recipe.toml").write_text(FAILING)
    iso, target = tmp_path / "honest.iso", f"{tmp_path / 'recipe.toml'}:honest"
    assert image(iso, target, "linux", "--standalone").returncode == 0
    with running(iso) as pc:
        text = pc.wait(ended)
        code = pc.picture().code()
    assert digits(text, "step 1 out") != digits(text, "step 2 out")
    agrees = check(code, run(tmp_path / "report.json", target, "tccboot"))
    assert agrees.returncode == 0, agrees.stderr


def test_a_medium_with_another_script_shows_another_hash(medium: Callable[[str], Path], report: Path, tmp_path: Path) -> None:
    """And so it does not pass for the one that was made."""
    data = medium("tccboot").read_bytes()
    assert data.count(b'(cwd "/build")') == 1
    iso = tmp_path / "other.iso"
    iso.write_bytes(data.replace(b'(cwd "/build")', b'(cwd "/bui1d")'))
    with running(iso) as pc:
        text = pc.wait(ended)
        code = pc.picture().code()
    assert text[0].startswith("xboot: all steps are done.") and digits(text, "step 1 out") == HASH
    differs = check(code, report)
    assert differs.returncode == 1 and "it ran another script" in differs.stderr


def test_it_says_nothing_to_anybody_else(medium: Callable[[str], Path], tmp_path: Path) -> None:
    """With somebody at the other end of the result channel: no word, so there is no verdict but the screen's."""
    said = tmp_path / "said"
    with running(medium("tccboot"), more=("-serial", "null", "-serial", f"file:{said}")) as pc:
        text = pc.wait(ended)
    assert text[0].startswith("xboot: all steps are done.") and said.read_bytes() == b""


@pytest.mark.parametrize("backend", KERNELS)
def test_a_failure_is_said_in_words(backend: str, tmp_path: Path) -> None:
    """And what a builder prints never comes to the screen."""
    recipe, iso = tmp_path / "recipe.toml", tmp_path / "failing.iso"
    recipe.write_text(FAILING)
    assert image(iso, str(recipe), backend, "--standalone").returncode == 0
    with running(iso) as pc:
        text = "\n".join(pc.wait(ended))
        picture = pc.picture()
    assert text.startswith("xboot: FAILED. There is no result.") and "step 2: exit: the builder ended with status 3" in text
    assert "LIES" not in text and picture.code() == ""


ARCHIVE = rb"070701([0-9A-Fa-f]{104}xboot/script\0)", rb"070702\1"


@pytest.mark.parametrize(
    ("backend", "place", "other", "said"),
    [
        ("tccboot", *ARCHIVE, "the kernel gave up. There is no result. payload: not a newc archive"),
        ("hurd", *ARCHIVE, "the kernel gave up. There is no result. payload: not a newc archive"),
        ("mirage", *ARCHIVE, r"GAVE UP. There is no result\.\s+xboot: panic: payload: no header at byte \d+"),
        ("mirage", rb"mem=512M", rb"mem=003M", "the kernel gave up. There is no result. no memory for the stack"),
    ],
    ids=["tccboot", "hurd", "mirage", "mirage by its base"],
)
def test_a_kernel_that_gives_up_says_so(
    backend: str, place: bytes, other: bytes, said: str, medium: Callable[[str], Path], tmp_path: Path
) -> None:
    """Here for a payload that is no archive, and for too little memory."""
    broken, count = re.subn(place, other, medium(backend).read_bytes())
    assert count == 1
    iso = tmp_path / "broken.iso"
    iso.write_bytes(broken)
    with running(iso) as pc:
        text = "\n".join(pc.wait(ended))
        picture = pc.picture()
    assert re.match(f"xboot: {said}", text), text
    assert picture.code() == ""


def test_a_linux_that_panics_stands_still(medium: Callable[[str], Path], tmp_path: Path) -> None:
    """It has nothing to write to the screen with. It does not begin again either, and there is no code."""
    iso, console = tmp_path / "broken.iso", tmp_path / "console"
    broken, count = re.subn(rb"(070701[0-9A-Fa-f]{104})init\0", rb"\1inix\0", medium("linux").read_bytes())
    assert count == 1
    iso.write_bytes(broken)
    with running(iso, more=("-serial", f"file:{console}")) as pc:
        text = "\n".join(pc.wait(lambda _: b"end Kernel panic" in (console.read_bytes() if console.exists() else b"")))
        picture = pc.picture()
    assert "done" not in text and picture.code() == ""


def test_an_executor_that_gives_up_says_so(medium: Callable[[str], Path], tmp_path: Path) -> None:
    """Before there is a script whose hash could be told."""
    data = medium("tccboot").read_bytes()
    broken, count = re.subn(rb"(070701[0-9A-Fa-f]{104}xboot/)script\0", rb"\1scripT\0", data)
    assert count == 1
    iso = tmp_path / "broken.iso"
    iso.write_bytes(broken)
    with running(iso) as pc:
        text = "\n".join(pc.wait(ended))
    assert text.startswith("xboot: GAVE UP. There is no result.") and "opening failed with error 2/xboot/script" in text


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("-b", "linux/scheme"), "the executor scheme cannot run by itself"),
        (("-b", "tccboot", "--set", f"kernel-tree={Path(__file__).parent}"), "a kernel-tree cannot run by itself"),
    ],
)
def test_refusals(more: tuple[str, ...], said: str, tmp_path: Path) -> None:
    iso = tmp_path / "none.iso"
    command = [*XBOOT, "image", *more, "--standalone", "--iso", str(iso), str(HELLO)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert done.returncode != 0 and said in done.stderr and not iso.exists()
