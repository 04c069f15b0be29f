"""The kernel's source tree, packed for the loader; and the same kernel compiled on the host, to compare.

The loader (guest/loader/main.c) takes a newc archive with a `manifest`: lines `name WORDS`, `offset HEX`, `option WORD`, `file PATH`.
Its order is the order of TCC's command line, so the host makes the very same file from it.
"""

from __future__ import annotations

import dataclasses
import hashlib
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from xboot.cache import Cache, file_sha256
from xboot.errors import BackendError, UsageError
from xboot.guest.own_tcc import OwnTcc
from xboot.guest.sources import I386, PANIC, PERSONALITY, X86_64
from xboot.model import Artifact, BuildTool, Role
from xboot.package import CpioWriter

KERNEL = Path(__file__).parent / "guest" / "kernel"
KERNEL64 = KERNEL.parent / "kernel64"
_OPTIONS = ("-nostdlib", "-nostdinc", "-static", "-I.", "-Ipersonality")
_LOAD, _SCREEN = 0x100000, 0xB8000  # physical


@dataclass(frozen=True, slots=True)
class _Width:
    """What differs between the kernels of 32 and 64 bits: where they are linked, and which files there are in place of others, or none."""

    offset: int  # virtual address of physical 0
    compiler: str
    options: tuple[str, ...] = ()
    support: tuple[str, ...] = ()  # TCC's library: only i386 has no instructions for what it does
    folder: Path | None = None
    left_out: frozenset[str] = frozenset()


_WIDTHS = {
    32: _Width(0x80000000, "i386-tcc", support=("libtcc1.c",)),
    64: _Width(
        0xFFFF800000000000, "tcc", ("-Wl,-section-alignment=1000", "-DMACHINE_WIDE"), folder=KERNEL64, left_out=frozenset({"i386/copy.S"})
    ),
}
_ENTRY = "kernel/entry.S"  # with the multiboot header
_UNITS = ("i386/personality.c", "kernel/kernel.c", "standalone/panic.c")
_MAX_TREE = 16 << 20  # bytes; the loader compiles within 18 MiB


@dataclass(frozen=True, slots=True)
class KernelTree:
    """A tree as the loader gets it: path in the tree → content, the manifest among them."""

    name: str
    files: Mapping[str, Path]
    manifest: str
    compiler: str = "i386-tcc"


def own_tree(tcc: OwnTcc, *, standalone: bool = False, bits: int = 32) -> KernelTree:
    """Our kernel: this plugin's machine layer below the shared personality. The entry, with the multiboot header, comes first.
    `standalone`: with what a guest without a host needs of it, the screen. `bits`: 64 for the one in long mode.
    """
    files = {f"kernel/{path.name}": path for path in KERNEL.iterdir() if path.suffix in (".c", ".h", ".S")}
    files |= {f"personality/{path.name}": path for path in PERSONALITY.iterdir() if path.suffix in (".c", ".h")}
    files |= {f"i386/{path.name}": path for path in I386.iterdir() if path.suffix in (".c", ".h", ".S")}
    files |= {"standalone/panic.c": PANIC} if standalone else {}
    width = _WIDTHS[bits]
    if width.folder:
        files |= {f"kernel/{path.name}": path for path in width.folder.iterdir() if path.suffix in (".c", ".S")}
        files |= {f"x86_64/{path.name}": path for path in X86_64.iterdir()}  # which i386/personality.c includes
    files = {name: path for name, path in files.items() if name not in width.left_out}
    text = (f"-Wl,-Ttext={width.offset + _LOAD:#x}", *width.options)
    options = (*_OPTIONS, *text, *((f"-DSCREEN_CELLS={width.offset + _SCREEN:#x}u",) if standalone else ()))
    # two units include all other C files: each header is read twice, not once for every file
    ours = [f for f in sorted(files) if f != _ENTRY and (f.endswith(".S") or f in _UNITS)]
    compiled = [_ENTRY, *ours, *width.support]
    files |= dict.fromkeys(width.support, tcc.libtcc1)
    lines = ["name the xboot kernel", f"offset {width.offset:x}", *(f"option {o}" for o in options), *(f"file {f}" for f in compiled)]
    return KernelTree("kernel", files, "\n".join(lines) + "\n", width.compiler)


def other_tree(folder: Path, bits: int = 32) -> KernelTree:
    """A tree that the user brings, for a processor of so many bits. Raises UsageError when it has no manifest, or one that names a file
    that is not there.
    """
    manifest = folder / "manifest"
    if not manifest.is_file():
        raise UsageError(
            f"kernel-tree={folder}: no file named manifest",
            hint="a manifest has lines `name`, `offset`, `option`, `file` (plugins/tccboot/README.md)",
        )
    text = manifest.read_text()
    files = {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file() and path != manifest}
    for line in text.splitlines():
        word, _, rest = line.strip().partition(" ")
        if word and word not in ("name", "offset", "option", "file"):
            raise UsageError(f"{manifest}: unknown word {word!r}; expected name, offset, option or file")
        if word == "file" and rest.strip() not in files:
            raise UsageError(f"{manifest}: names {rest.strip()!r}, which is not in the tree")
    return KernelTree("kernel", files, text, _WIDTHS[bits].compiler)


def pack(tree: KernelTree, cache: Cache) -> Artifact:
    """The tree as an archive, from the cache or made now. Its source files are those that are compiled, and the headers beside them."""
    size = sum(path.stat().st_size for path in tree.files.values())
    if size > _MAX_TREE:
        raise BackendError(f"the kernel tree has {size} bytes of source; the loader takes at most {_MAX_TREE}")
    folder = cache.folder("tccboot-tree", _key(tree), lambda work: _write(tree, work / "kernel.cpio"))
    archive = folder / "kernel.cpio"
    sources = [path for name, path in sorted(tree.files.items()) if name.endswith((".c", ".h", ".S"))]
    return Artifact(
        name="kernel", path=archive, sha256=file_sha256(archive), size=archive.stat().st_size,
        role=Role.KERNEL, origin="xboot", version="source",
        built_with=("the loader, at every boot",), source_files=sources, lines_method="manifest",
    )  # fmt: skip


def with_hash(kernel: Artifact, sha256: str, loader: Artifact) -> Artifact:
    """The artifact, saying what it becomes when it is compiled, and that the loader does that."""
    compiler = BuildTool(
        "the loader, at every boot", loader.version, loader.sha256, loader.size, "a part of the image", False,
        tuple(loader.source_files), loader.made_by,
    )  # fmt: skip
    version = f"source; compiled at boot into an ELF file of SHA-256 {sha256}"
    return dataclasses.replace(kernel, version=version, made_by=(compiler,))


def _key(tree: KernelTree) -> dict[str, str]:
    content = {name: file_sha256(path) for name, path in tree.files.items()}
    return content | {"manifest": hashlib.sha256(tree.manifest.encode()).hexdigest(), "recipe": "1"}


def _write(tree: KernelTree, destination: Path) -> None:
    with destination.open("wb") as sink:
        writer = CpioWriter(sink)
        manifest = tree.manifest.encode()
        writer.file(b"manifest", 0o444, len(manifest), [manifest])
        for name in sorted(tree.files):
            data = tree.files[name].read_bytes()
            writer.file(name.encode(), 0o444, len(data), [data])
        writer.end()


def compiled_hash(tree: KernelTree, tcc: OwnTcc, cache: Cache) -> str:
    """SHA-256 of the kernel that the loader will make of this tree. Raises BackendError when TCC refuses the tree."""
    key = {**_key(tree), **tcc.tools.key()}

    def make(work: Path) -> None:
        scratch = work / "tree"
        (work / "sha256").write_text(file_sha256(compile_on_host(tree, tcc, scratch)))
        shutil.rmtree(scratch)

    return (cache.folder("tccboot-kernel", key, make) / "sha256").read_text()


def compile_on_host(tree: KernelTree, tcc: OwnTcc, folder: Path) -> Path:
    """The kernel's ELF file as TCC makes it here from the same tree: byte for byte what the loader makes."""
    folder.mkdir(exist_ok=True)
    for name, path in tree.files.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    words = [line.split(" ", 1) for line in tree.manifest.splitlines() if line.strip()]
    options = [rest for word, rest in words if word == "option"]
    files = [rest for word, rest in words if word == "file"]
    tcc.tools.run([tree.compiler, *options, "-o", "kernel.elf", *files], folder, what="the kernel tree")
    return folder / "kernel.elf"
