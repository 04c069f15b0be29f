"""What a medium is made of, byte by byte; and kernels that none can be made for. Nothing is booted."""

from __future__ import annotations

import re
import struct
from pathlib import Path

import pytest

from xboot.errors import BackendError
from xboot.medium import Loaders, components, fat, refusal, write_medium
from xboot.model import Artifact, Boot, Module, Protocol, Role, Window

MULTIBOOT = struct.pack("<III", 0x1BADB002, 3, -(0x1BADB002 + 3) & 0xFFFFFFFF)
NOTE = struct.pack("<III4sI", 4, 4, 18, b"Xen\0", 0x100010)
CODE = MULTIBOOT + NOTE
VOLUME, TABLE, DATA = 24, 31, 37  # sectors


def elf(*loads: tuple[int, int, int], entry: int = 0x100000, content: bytes = CODE, note: bool = True) -> bytes:
    """An i386 ELF file; `loads`: virtual and physical address, bytes in memory. All have the same content."""
    count = len(loads) + note
    start = 52 + 32 * count
    head = struct.pack("<16sHHIIIIIHHHHHH", b"\x7fELF\x01\x01\x01", 2, 3, 1, entry, 52, 0, 0, 52, 32, count, 40, 0, 0)
    table = b"".join(struct.pack("<8I", 1, start, v, p, len(content), size, 7, 4) for v, p, size in loads)
    if note:
        table += struct.pack("<8I", 4, start + len(MULTIBOOT), 0, 0, len(NOTE), len(NOTE), 4, 4)
    return head + table + content


@pytest.fixture
def loader(tmp_path: Path) -> Loaders:
    bios, uefi = tmp_path / "loader", tmp_path / "uefi-loader"
    bios.write_bytes(b"\xeb\x58\x02".ljust(2046, b"L") + b"E!")
    uefi.write_bytes(b"MZ".ljust(8192, b"U"))
    return Loaders(
        Artifact("medium loader", bios, "0" * 64, 2048, Role.LOADER), Artifact("medium loader for UEFI", uefi, "1" * 64, 8192, Role.LOADER)
    )


def boot(folder: Path, kernel: bytes, protocol: Protocol = Protocol.MULTIBOOT, *, words: str = "") -> Boot:
    (folder / "kernel").write_bytes(kernel)
    (folder / "module").write_bytes(b"m" * 3000)
    more = "" if protocol is Protocol.PVH else words
    return Boot(protocol, folder / "kernel", 64, (Module(folder / "module", more),), "quiet", bits=32, processor="i686")


def written(boot: Boot, loader: Loaders, name: str = "medium") -> bytes:
    path = loader.bios.path.with_name(name)
    medium = write_medium(boot, loader, path)
    data = path.read_bytes()
    assert len(data) == medium.size and medium.size % 2048 == 0
    return data


def sectors(data: bytes, first: int, count: int = 1) -> bytes:
    return data[first * 2048 : (first + count) * 2048]


def pieces(data: bytes) -> list[tuple[int, ...]]:
    count = struct.unpack_from("<I", data, TABLE * 2048 + 36)[0]
    return [struct.unpack_from("<3I", data, TABLE * 2048 + 40 + 12 * i) for i in range(count)]


def test_twice_the_same_bytes(tmp_path: Path, loader: Loaders) -> None:
    it = boot(tmp_path, elf((0x100000, 0x100000, 5000)))
    assert written(it, loader) == written(it, loader, "again")


def test_the_table_says_where_everything_is(tmp_path: Path, loader: Loaders) -> None:
    data = written(boot(tmp_path, elf((0xC0100000, 0x100000, 5000), (0xC0200000, 0x200000, 40), entry=0xC0100008)), loader)
    (first, to, stored), (zero, behind, zeros), (second, *_), (rest, *_), (module, at, size) = pieces(data)
    assert (to, stored, behind, zeros) == (0x100000, len(CODE), 0x100000 + len(CODE), 5000 - len(CODE))
    assert zero == 0 == rest and sectors(data, first)[: len(CODE)] == CODE == sectors(data, second)[: len(CODE)]
    assert (at, size) == (64 << 20, 3000) and sectors(data, module, 2)[:3000] == b"m" * 3000
    entry, eax, ebx, shift = struct.unpack_from("<4I", data, TABLE * 2048)
    assert (entry, eax, ebx, shift) == (0x100008, 0x2BADB002, 0xA000, 4)


def test_multiboot_information(tmp_path: Path, loader: Loaders) -> None:
    data = sectors(written(boot(tmp_path, elf((0x100000, 0x100000, 5000)), words="one two"), loader), TABLE + 2, 4)
    flags, _, _, _, line, count, modules = struct.unpack_from("<7I", data)
    assert flags == 0x4D and count == 1
    start, end, text, _ = struct.unpack_from("<4I", data, modules - 0xA000)
    assert (start, end) == (64 << 20, (64 << 20) + 3000)
    assert data[line - 0xA000 :].split(b"\0")[0] == b"kernel quiet"
    assert data[text - 0xA000 :].split(b"\0")[0] == b"module one two"


def test_pvh_start_info(tmp_path: Path, loader: Loaders) -> None:
    made = written(boot(tmp_path, elf((0x100000, 0x100000, 5000)), Protocol.PVH), loader)
    assert struct.unpack_from("<4I", made, TABLE * 2048) == (0x100010, 0, 0xA000, 0)
    data = sectors(made, TABLE + 2, 4)
    magic, version, _, count, modules, line, _, memory = struct.unpack_from("<4I4Q", data)
    assert (magic, version, count, memory) == (0x336EC578, 1, 1, 0xC000)
    assert struct.unpack_from("<QQ", data, modules - 0xA000) == (64 << 20, 3000)
    assert data[line - 0xA000 :].split(b"\0")[0] == b"quiet"


def test_it_is_a_cd_and_a_disk(tmp_path: Path, loader: Loaders) -> None:
    data = written(boot(tmp_path, elf((0x100000, 0x100000, 5000))), loader)
    volume = sectors(data, 16)
    assert (
        volume[:6] == b"\1CD001"
        and struct.unpack_from("<I", volume, 80)[0] * 2048 == len(data) == struct.unpack_from(">I", volume, 84)[0] * 2048
    )
    record = sectors(data, 17)
    assert record[7:30] == b"EL TORITO SPECIFICATION"
    catalog = sectors(data, struct.unpack_from("<I", record, 71)[0])
    assert sum(struct.unpack("<16H", catalog[:32])) & 0xFFFF == 0
    bootable, _, _, _, _, count, at = struct.unpack_from("<BBHBBHI", catalog, 32)
    assert (bootable, count) == (0x88, 4)
    disk, cd = sectors(data, 0), sectors(data, at)
    assert [i for i in range(2048) if disk[i] != cd[i]] == [2] and (disk[2], cd[2]) == (2, 0)
    whole, ours = VOLUME * 4, len(data) // 512 - VOLUME * 4
    assert (disk[446], disk[450]) == (0x80, 0xCD) and struct.unpack_from("<II", disk, 454) == (0, whole)
    assert (disk[462], disk[466]) == (0, 0xEF) and struct.unpack_from("<II", disk, 470) == (whole, ours)
    platform, how_many = struct.unpack_from("<xBH", catalog, 64)
    assert (catalog[64], platform, how_many) == (0x91, 0xEF, 1)
    bootable, _, _, _, _, count, at = struct.unpack_from("<BBHBBHI", catalog, 96)
    assert (bootable, count, at) == (0x88, 0, VOLUME)
    assert sectors(data, 18)[:6] == b"\xffCD001"
    assert b"KERNEL.;1" in sectors(data, 21) and b"MODULE1.;1" in sectors(data, 21)


def test_the_volume_for_uefi_has_the_loader_and_the_table_in_its_file(tmp_path: Path, loader: Loaders) -> None:
    """Read as a FAT driver reads: from the first sector on, by the chain of clusters."""
    data = written(boot(tmp_path, elf((0x100000, 0x100000, 5000))), loader)[VOLUME * 2048 :]
    size, each, reserved, tables, entries, total, _, fat_size = struct.unpack_from("<HBHBHHBH", data, 11)
    assert (size, data[510:512], struct.unpack_from("<I", data, 28)[0]) == (512, b"\x55\xaa", VOLUME * 4)
    table, again = (data[(reserved + n * fat_size) * 512 :][: fat_size * 512] for n in range(tables))
    assert table == again
    root = (reserved + tables * fat_size) * 512
    first = root + entries * 32
    assert (total * 512 - first) // (each * 512) < 4085  # or it is no FAT12

    def content(cluster: int) -> bytes:
        found = b""
        while cluster < 0xFF8:
            found += data[first + (cluster - 2) * each * 512 :][: each * 512]
            cluster = int.from_bytes(table[cluster * 3 // 2 :][:2], "little") >> 4 * (cluster & 1) & 0xFFF
        return found

    def entry(folder: bytes, name: bytes) -> tuple[int, int, int]:
        at = next(at for at in range(0, len(folder), 32) if folder[at : at + 11] == name.ljust(11))
        return folder[at + 11], *struct.unpack_from("<HI", folder, at + 26)

    kind, cluster, _ = entry(data[root:first], b"EFI")
    assert kind == 0x10
    efi = content(cluster)
    kind, cluster, _ = entry(efi, b"BOOT")
    assert kind == 0x10 and entry(efi, b"..")[1] == 0
    kind, cluster, size = entry(content(cluster), b"BOOTX64 EFI")
    program = loader.uefi.path.read_bytes()
    assert content(cluster) == program + data[(TABLE - VOLUME) * 2048 : (DATA - VOLUME) * 2048]
    assert (kind, size) == (0x20, len(content(cluster))) and total * 512 == (DATA - VOLUME) * 2048


def test_the_loaders_know_where_everything_is() -> None:
    """Numbers that stand in assembler and here."""
    sources = {name: (Path(fat.__file__).with_name(name)).read_text() for name in ("boot.s", "uefi.s")}
    said = {name: dict(re.findall(r"^(\w+) = (\d+)\b", text, re.MULTILINE)) for name, text in sources.items()}
    assert said["boot.s"]["TABLE_SECTOR"] == str(TABLE)
    assert (said["uefi.s"]["VOLUME"], said["uefi.s"]["DATA"]) == (str(VOLUME), str(DATA))


def test_every_byte_is_counted(tmp_path: Path, loader: Loaders) -> None:
    it = boot(tmp_path, elf((0x100000, 0x100000, 5000)))
    size = len(written(it, loader))
    for run in (loader, [loader.bios], [loader.uefi]):
        found = components(it, loader, run)
        assert [c.bytes for c in found[:-1]] == [one.size for one in run]
        assert sum(c.bytes for c in found) + len(CODE) + 3000 == size


@pytest.mark.parametrize(
    ("kernel", "protocol", "said"),
    [
        (b"not a kernel", Protocol.PVH, "not a kernel"),
        (elf((0x100000, 0x100000, 5000), note=False), Protocol.PVH, "no ELF note"),
        (elf((0x100000, 0x100000, 5000), content=b"x" * 64, note=False), Protocol.MULTIBOOT, "no Multiboot header"),
        (elf((0x1000, 0x1000, 5000)), Protocol.MULTIBOOT, "begins at 0x100000"),
        (elf((0x100000, 0x100000, 5000), (0x101000, 0x101000, 5000)), Protocol.MULTIBOOT, "overlap"),
        (elf((0x100000, 0x100000, 8)), Protocol.MULTIBOOT, "segment"),
        (elf(), Protocol.MULTIBOOT, "nothing to load"),
        (elf(*((0x100000 + 4096 * i, 0x100000 + 4096 * i, 4000) for i in range(200))), Protocol.MULTIBOOT, "pieces"),
    ],
)
def test_what_is_no_kernel_for_a_medium(tmp_path: Path, loader: Loaders, kernel: bytes, protocol: Protocol, said: str) -> None:
    with pytest.raises(BackendError, match=said):
        write_medium(boot(tmp_path, kernel, protocol), loader, tmp_path / "medium")


def test_words_that_are_too_long(tmp_path: Path, loader: Loaders) -> None:
    with pytest.raises(BackendError, match="words"):
        write_medium(boot(tmp_path, elf((0x100000, 0x100000, 5000)), words="x" * 9000), loader, tmp_path / "medium")


def test_refusals(tmp_path: Path) -> None:
    kernel, words = tmp_path / "k", (Module(tmp_path / "m", "words"),)
    assert "linux" in refusal(Boot(Protocol.LINUX, kernel, 64))
    assert "program of a host" in refusal(Boot(Protocol.PROGRAM, kernel, 64))
    assert "window" in refusal(Boot(Protocol.PVH, kernel, 64, window=Window(1 << 26, 1 << 20)))
    assert "words" in refusal(Boot(Protocol.PVH, kernel, 64, words))
    assert refusal(Boot(Protocol.MULTIBOOT, kernel, 64, words)) == ""
