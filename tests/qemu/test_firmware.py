"""The firmware that QEMU runs is the firmware that is measured."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from struct import pack

import pytest

from xboot.cache import file_sha256
from xboot.compare.makeup import below_parts
from xboot.machine import MachineOptions
from xboot.model import Boot, Component, Protocol, Role
from xboot_linux.backend import _MICROVM
from xboot_mirage.backend import _QEMU
from xboot_qemu import firmware
from xboot_qemu.command import command_line
from xboot_qemu.tcb import substrate


def boot(*hints: str, protocol: Protocol = Protocol.PVH) -> Boot:
    return Boot(protocol, Path("/kernel"), 32, hints={"qemu": hints})


def measured(wanted: Boot) -> dict[str, Component]:
    return {c.name: c for c in substrate(wanted) if c.role is Role.FIRMWARE}


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Two folders of a QEMU, as Debian has them: in the first, SeaBIOS' name is a link to qboot."""
    found = [tmp_path / "qemu", tmp_path / "seabios"]
    for folder in found:
        folder.mkdir()
    for name in ("qboot.rom", "pvh.bin", "kvmvapic.bin", "multiboot_dma.bin"):
        (found[0] / name).write_text(name)
    (found[0] / "bios-microvm.bin").symlink_to("qboot.rom")
    for name in ("bios-microvm.bin", "bios-256k.bin"):
        (found[1] / name).write_text(name)
    monkeypatch.setattr(firmware, "_folders", lambda program: tuple(map(str, found)))
    return found


def booted(wanted: Boot) -> Path:
    command = command_line(wanted, MachineOptions("tcg"), "", "stdio", "null")
    assert command.count("-bios") == 1
    return Path(command[command.index("-bios") + 1])


@pytest.mark.parametrize(
    ("hints", "name", "called"),
    [
        (("-M", _MICROVM), "qemu/qboot.rom", "qboot for microvm"),
        (_QEMU, "qemu/qboot.rom", "qboot for microvm"),
        (("-M", "pc"), "seabios/bios-256k.bin", "SeaBIOS for pc"),
        ((), "seabios/bios-256k.bin", "SeaBIOS for pc"),
        (("-bios", "pvh.bin", "-M", "pc"), "qemu/pvh.bin", "firmware for pc"),
    ],
)
def test_what_is_booted_is_measured(folders: list[Path], hints: Sequence[str], name: str, called: str) -> None:
    wanted = boot(*hints)
    assert booted(wanted) == folders[0].parent / name
    assert measured(wanted)[called].sha256 == file_sha256(folders[0].parent / name)


def test_what_enters_the_kernel_is_measured(folders: list[Path]) -> None:
    assert set(measured(boot("-M", "microvm"))) == {"qboot for microvm", "pvh.bin for microvm"}
    found = measured(boot(protocol=Protocol.MULTIBOOT))
    assert set(found) == {"SeaBIOS for pc", "kvmvapic.bin for pc", "multiboot_dma.bin for pc"}
    assert all(c.sha256 for c in found.values())


@pytest.mark.parametrize(
    "hints",
    [
        ("-M", "another"),
        ("-M", "pc", "-bios", "missing.bin"),
        ("-M", "pc,firmware=x"),
        ("-M", "pc", "-option-rom", "x"),
        ("-M", "pc", "-S"),
    ],
)
def test_unknown_firmware_counts_as_shared(folders: list[Path], hints: Sequence[str]) -> None:
    """It stands there without a hash, and then nothing below the image counts as known."""
    below = substrate(boot(*hints))
    assert next(c.sha256 for c in below if c.role is Role.FIRMWARE) == ""
    assert below_parts((c.name, c.sha256) for c in below) == {}
    command_line(boot(*hints), MachineOptions("tcg"), "", "stdio", "null")  # as the backend said it


def test_missing_firmware_is_not_left_out(folders: list[Path]) -> None:
    (folders[1] / "bios-256k.bin").unlink()
    (folders[0] / "pvh.bin").unlink()
    found = measured(boot("-M", "pc"))
    assert [name for name, c in found.items() if not c.sha256] == ["firmware for pc", "pvh.bin for pc"]


def test_a_file_where_qemu_starts_is_not_taken_for_its_own(folders: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """QEMU prefers a file of that name in the folder that it is started in: the firmware has its whole path, and the rest is not known."""
    monkeypatch.chdir(tmp_path)
    for name in ("qboot.rom", "pvh.bin"):
        (tmp_path / name).write_text("a stranger's")
    wanted = boot("-M", "microvm")
    assert booted(wanted) == folders[0] / "qboot.rom"
    assert measured(wanted)["pvh.bin for microvm"].sha256 == ""


@pytest.mark.boot
@pytest.mark.parametrize("hints", [("-M", "pc"), ("-M", _MICROVM), _QEMU], ids=["pc", "linux", "mirage"])
def test_qemu_itself_names_the_same_files(hints: Sequence[str], tmp_path: Path) -> None:
    """A machine that has not begun to run lists what it has loaded; and what QEMU would take by itself is what we give it."""
    kernel = tmp_path / "kernel"
    kernel.write_bytes(_pvh_kernel())
    wanted = Boot(Protocol.PVH, kernel, 32, hints={"qemu": tuple(hints)})
    command = command_line(wanted, MachineOptions("tcg"), "", "null", "null")
    asked = subprocess.run(
        [*command, "-S", "-monitor", "stdio"], input="info roms\nquit\n", capture_output=True, text=True, check=True, timeout=60
    )
    loaded = {Path(name) for name in re.findall(r'name="([^"]+\.(?:bin|rom))"', asked.stdout)}
    found = substrate(wanted)
    assert {path.name for path in loaded} == {Path(c.origin).name for c in found if c.role is Role.FIRMWARE}
    (path,) = (path for path in loaded if path.is_absolute())
    assert file_sha256(path) in {c.sha256 for c in found}


def _pvh_kernel() -> bytes:
    """An ELF file of 64 bits with the note that gives a PVH kernel's entry (Xen's XEN_ELFNOTE_PHYS32_ENTRY, 18), and nothing to run."""
    note = pack("<III4sQ", 4, 8, 18, b"Xen\0", 0x100000)
    start = 64 + 2 * 56
    header = b"\x7fELF\x02\x01\x01" + bytes(9) + pack("<HHIQQQIHHHHHH", 2, 62, 1, 0x100000, 64, 0, 0, 64, 56, 2, 64, 0, 0)
    parts = [pack("<IIQQQQQQ", kind, 4, start, 0x100000, 0x100000, len(note), len(note), 4) for kind in (1, 4)]
    return header + b"".join(parts) + note
