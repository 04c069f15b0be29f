"""Building the server: the personality, Mach below it, TCC's support library; compiled and linked by one TCC alone (own_tcc.py)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from xboot.cache import Cache, file_sha256
from xboot.guest.own_tcc import OwnTcc
from xboot.guest.sources import I386, PANIC, PERSONALITY
from xboot.model import Artifact, Role

GUEST = Path(__file__).parent / "guest"
_RECIPE = "3"
_OPTIONS = ("-nostdlib", "-nostdinc", "-static", "-Iserver", "-Ipersonality", "-I.")
_SCREEN = ("-DSCREEN_CELLS=0x1ffff000u",)  # below the frames (server.h)
_SUPPORT = "libtcc1.c"  # what TCC's code calls for 64-bit numbers
_SUFFIXES = (".c", ".h", ".S")


def sources(*, standalone: bool = False) -> dict[str, Path]:
    """Path in the tree that is compiled → file."""
    folders = {"server": GUEST, "i386": I386, "personality": PERSONALITY}
    files = {
        f"{name}/{path.name}": path for name, folder in folders.items() for path in sorted(folder.iterdir()) if path.suffix in _SUFFIXES
    }
    return files | ({"standalone/panic.c": PANIC} if standalone else {})


def build_server(tcc: OwnTcc, cache: Cache, *, standalone: bool = False) -> Artifact:
    """The server as an ELF program, from the cache or built now (less than a second). `standalone`: with what a guest without a host needs
    of it, the screen. Raises BackendError when TCC refuses the source.
    """
    files = sources(standalone=standalone) | {_SUPPORT: tcc.libtcc1}
    options = [*_OPTIONS, *(_SCREEN if standalone else ())]
    key = {**tcc.tools.key(), "recipe": _RECIPE, "options": " ".join(options)} | {name: file_sha256(path) for name, path in files.items()}
    program = cache.folder("hurd-server", key, lambda work: _build(tcc, files, options, work)) / "server"
    return Artifact(
        name="server", path=program, sha256=file_sha256(program), size=program.stat().st_size, role=Role.SERVICES,
        origin="xboot", version="C, i386", built_with=tcc.tools.names("tcc"), made_by=tcc.tools.made_by("tcc"),
        source_files=list(files.values()), lines_method="manifest",
    )  # fmt: skip


def _build(tcc: OwnTcc, files: dict[str, Path], options: Sequence[str], work: Path) -> None:
    # By relative names inside one tree: no path of this machine gets into the program.
    tree = work / "tree"
    for name, path in files.items():
        target = tree / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    units = sorted(
        name
        for name in files
        if name.startswith(("server/", "i386/", "standalone/")) and name.endswith((".c", ".S")) and name != "server/entry.S"
    )
    tcc.tools.run(["i386-tcc", *options, "-o", "server.elf", "server/entry.S", *units, _SUPPORT], work, "tree", what="the server")
    (tree / "server.elf").rename(work / "server")
    for path in sorted(tree.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    tree.rmdir()
