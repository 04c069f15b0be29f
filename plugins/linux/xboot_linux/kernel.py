"""The kernel of the linux backend: Debian's linux-source, tinyconfig and guest/linux.config, made into an uncompressed vmlinux.

The build is by the locked compilers, or this machine's. It is reproducible, and cached by source, configuration and compilers. Which
files were really compiled is read from kbuild's own dependency files and kept beside the kernel, with their line
counts, for the TCB report.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from xboot.cache import Cache, file_sha256
from xboot.debian import DebianFile, DebianPackages
from xboot.errors import BackendError, MissingToolError
from xboot.hooks import Notify
from xboot.model import Artifact, Event, Phase, Role
from xboot.parts import unpack
from xboot.tcb import count_files
from xboot.toolroot import ALL, DEBIAN_BUILDS, Tools, tools
from xboot_linux.leftout import FILE, GUEST, LIST, counted, leave_out, replaced

# What each value of the setting `net` is made of; an option in a later file takes the place of the same one in an earlier.
FRAGMENTS = {
    "none": (GUEST / "linux.config",),
    "unix": (GUEST / "linux.config", GUEST / "net-unix.config"),
    "loopback": (GUEST / "linux.config", GUEST / "net-unix.config", GUEST / "net-loopback.config"),
}
_BITS = {"64": (), "32": (GUEST / "bits-32.config",)}  # the same for the setting `bits`, added last
SOURCES_FILE = "sources.json"
METHOD = "kbuild dependency files, headers left out"
# What this machine must have, when its own compilers are to build the kernel: program → Debian's package.
_TOOLS = {"gcc": "gcc", "ld": "binutils", "make": "make", "flex": "flex", "bison": "bison", "bc": "bc", "xz": "xz-utils"}
_TREE = "linux"  # the source, in the folder of the work
# For size gcc copies and fills by `rep movsb` and `rep stosb`, which an emulator does byte by byte: Linux's own functions do it here.
_STRINGS = "-mstringop-strategy=libcall"
_EXPECTED_OBJECTS = 900  # compiled in a build of 6.1; only the progress bar depends on it


def fragments(net: str, bits: str = "64") -> Sequence[Path]:
    """The files of options for these settings, in their order."""
    return (*FRAGMENTS[net], *_BITS[bits])


def built_kernel(cache: Cache, notify: Notify, net: str = "unix", toolchain: str = "locked", bits: str = "64") -> Artifact:
    """Our own kernel of so many bits, with the sockets that `net` names, from the cache or built now (minutes). Raises MissingToolError,
    BackendError.
    """
    by = tools(cache, toolchain, ALL, _TOOLS)
    debian = DebianPackages(cache)
    package = _source_package(debian)
    version, sha256 = debian.candidate(package, "all")  # the package itself, 138 MB, is touched only when there is something to build
    key = {
        "source": sha256,
        "config": " ".join(map(file_sha256, [*fragments(net, bits), LIST, *replaced(net, bits).values()])),
        "recipe": "8",
        **by.key(),
    }
    if not cache.has("linux-kernel", key):  # what there is may be another version than the locked one
        deb = debian.binary(package, "all")
        version, key["source"] = deb.version, deb.sha256

    def make(work: Path) -> None:
        deb = debian.binary(package, "all")
        if deb.sha256 != key["source"]:
            raise BackendError(f"{package} {deb.version} is another version than a moment ago", hint="try again")
        _build(deb, by, work, notify, net, bits)

    folder = cache.folder("linux-kernel", key, make)
    vmlinux = folder / "vmlinux"
    return Artifact(
        name="kernel", path=vmlinux, sha256=file_sha256(vmlinux), size=vmlinux.stat().st_size, role=Role.KERNEL,
        origin=f"Debian {package} {version} (sha256 {key['source']})", version=version,
        built_with=by.names("gcc", "binutils"), source_files=(folder / SOURCES_FILE,), lines_method=METHOD,
        made_by=by.made_by("gcc", "binutils"),
    )  # fmt: skip


def distro_kernel(cache: Cache) -> Artifact:
    """Debian's own cloud kernel, as packaged: opaque, but nothing needs to be compiled."""
    debian = DebianPackages(cache)
    names = [n for n in debian.search(r"^linux-image-[0-9][0-9.]*-[0-9]+-cloud-amd64$") if "unsigned" not in n]
    if not names:
        raise MissingToolError("no linux-image-*-cloud-amd64 package is to be had", hint="leave out `--set`")
    folder, deb = debian.unpacked(max(names, key=_version_key))
    (image,) = (folder / "boot").glob("vmlinuz-*")
    return Artifact(
        name="kernel", path=image, sha256=file_sha256(image), size=image.stat().st_size, role=Role.KERNEL,
        origin=f"Debian {deb.package} {deb.version} (sha256 {deb.sha256})", version=deb.version, lines_method="opaque",
        made_by=(DEBIAN_BUILDS,),
    )  # fmt: skip


def _source_package(debian: DebianPackages) -> str:
    # Of several the oldest: the kernel grows with every release, and all that are offered are supported.
    names = sorted(debian.search(r"^linux-source-[0-9.]+$"), key=_version_key)
    if not names:
        raise MissingToolError(
            "no linux-source-* package is to be had", hint="name a mirror that has the parts with --mirror or XBOOT_MIRROR (docs/parts.md)"
        )
    return names[0]


def _version_key(name: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", name)]


# ---------------------------------------------------------------- building


def _build(deb: DebianFile, by: Tools, work: Path, notify: Notify, net: str, bits: str) -> None:
    started = time.monotonic()

    def tell(text: str, done: float) -> None:
        notify(Event(Phase.PREPARE, time.monotonic() - started, name="kernel", text=text, done=done))

    tell(f"unpacking {deb.package} {deb.version}", 0.0)
    scratch = work.parent / f"{work.parent.name}-scratch"
    try:
        scratch.mkdir()
        tree = _unpack(deb, by, scratch)
        tell("configuring Linux", 0.03)
        leave_out(tree, net, bits)
        _configure(by, tree, fragments(net, bits))
        _compile(by, tree, tell)
        tell("counting what was compiled", 0.97)
        _run(by, ["objcopy", "--strip-all", "vmlinux", "../vmlinux"], tree)
        _keep_pvh_note(by, scratch)
        shutil.move(scratch / "vmlinux", work / "vmlinux")
        compiled = _compiled_sources(by, tree)
        (work / SOURCES_FILE).write_text(json.dumps(compiled, indent=0))
        (work / FILE).write_text(json.dumps(counted(tree, net, bits, compiled), indent=0))
        shutil.copy(tree / ".config", work / "config")
        tell("kernel built", 1.0)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _unpack(deb: DebianFile, by: Tools, scratch: Path) -> Path:
    (scratch / "deb").mkdir()
    unpack(deb.path, scratch / "deb")
    (archive,) = (scratch / "deb" / "usr" / "src").glob("linux-source-*.tar.xz")
    tree = scratch / _TREE
    tree.mkdir()
    _run(by, ["tar", "--extract", "--xz", "--strip-components=1", "--no-same-owner", "--file", f"../{archive.relative_to(scratch)}"], tree)
    shutil.rmtree(scratch / "deb")
    return tree


def _configure(by: Tools, tree: Path, files: Sequence[Path]) -> None:
    _run(by, ["make", "--silent", "tinyconfig"], tree)
    wanted = _options(files)
    with (tree / ".config").open("a") as config:
        config.writelines(f"{line}\n" for line in wanted)
    _run(by, ["make", "--silent", "olddefconfig"], tree)
    found = set((tree / ".config").read_text().splitlines())
    names = {line.split("=", 1)[0] for line in found if "=" in line}
    wrong = [line for line in wanted if (_name(line) in names if _is_off(line) else line not in found)]
    if wrong:
        raise BackendError(
            f"the kernel's configuration did not take these options: {', '.join(wrong)}",
            hint=f"this linux-source differs from the ones that xboot knows; adapt {' or '.join(path.name for path in files)}",
        )


def _options(files: Sequence[Path]) -> list[str]:
    """The lines of the fragments without reasons, one for each option."""
    options: dict[str, str] = {}
    for fragment in files:
        for line in fragment.read_text().splitlines():
            option = re.match(r"(CONFIG_\w+=\S+|# CONFIG_\w+ is not set)", line)
            if option:
                options[_name(option[1])] = option[1]
    return list(options.values())


def _is_off(line: str) -> bool:
    return line.startswith("#") or line.endswith("=n")


def _name(line: str) -> str:
    match = re.search(r"CONFIG_\w+", line)
    assert match
    return match[0]


def _compile(by: Tools, tree: Path, tell: Callable[[str, float], None]) -> None:
    # The prefix map keeps the folder's name out of the kernel's strings: with this machine's compilers it is anywhere.
    prefix = f"-ffile-prefix-map={by.folder(tree.parent)}/{_TREE}=."
    command = ["make", f"-j{os.cpu_count() or 1}", f"KCFLAGS={prefix} {_STRINGS}", f"KAFLAGS={prefix}", "vmlinux"]
    log = tree.parent / "build.log"
    with log.open("wb") as sink:
        process = by.start(command, tree.parent, _TREE, stderr=sink)
        assert process.stdout is not None
        try:
            count = 0
            for line in process.stdout:
                if line.lstrip().startswith((b"CC ", b"AS ", b"AR ", b"LD ")):
                    count += 1
                    tell(f"compiling Linux: {line.split()[-1].decode(errors='replace')}", min(0.96, 0.05 + 0.9 * count / _EXPECTED_OBJECTS))
            status = process.wait()
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
    if status:
        tail = " ".join(log.read_text(errors="replace").strip().splitlines()[-4:])
        raise BackendError(
            f"building the Linux kernel failed (make's status {status}): {tail}", hint="is the disk full? otherwise try --set kernel=distro"
        )


def _keep_pvh_note(by: Tools, folder: Path) -> None:
    """QEMU finds the PVH entry in an ELF note of owner Xen, type 18; a kernel without it would boot nowhere."""
    notes = by.run(["readelf", "--notes", "--wide", "vmlinux"], folder, what="the kernel that was built")
    if "Xen" not in notes:
        raise BackendError(
            "the kernel that was built has no PVH note, so QEMU cannot start it", hint="is CONFIG_PVH still part of this kernel?"
        )


def _compiled_sources(by: Tools, tree: Path) -> dict[str, dict[str, object]]:
    """File → SHA-256, lines, language, for all code that kbuild's .cmd files say went into objects that are linked into vmlinux.

    Headers are left out: they are as many lines again, and nearly all of them declare what this kernel does not have.
    """
    names = [path.relative_to(tree) for path in sorted(tree.rglob("*.a"))]
    archives = [str(name) for name in names if name.parts[0] not in ("tools", "scripts")]
    linked: set[Path] = set()
    parent = tree
    for line in _run(by, ["sh", "-c", 'for a do echo "archive $a"; ar t "$a"; done', "sh", *archives], tree).splitlines():
        if line.startswith("archive "):
            parent = (tree / line.removeprefix("archive ")).parent
        else:  # a thin archive names its members from here, any other by their last names
            linked.add(Path(os.path.normpath((tree if "/" in line else parent) / line)))
    files: set[Path] = set()
    for obj in linked:
        command = obj.with_name(f".{obj.name}.cmd")
        if command.exists():
            files |= set(_dependencies(command, tree))
    counted = count_files(path for path in sorted(files) if path.is_file())
    return {str(path.relative_to(tree)): dataclasses.asdict(source) for path, source in counted.items()}


def _dependencies(command: Path, tree: Path) -> Iterator[Path]:
    text = command.read_text(errors="replace")
    for match in re.finditer(r"^(?:source_|deps_)\S+ := ((?:.*\\\n)*.*)", text, re.MULTILINE):
        for word in match[1].replace("\\\n", " ").split():
            path = Path(os.path.normpath(tree / word))
            if not word.startswith("$(") and path.suffix in (".c", ".S") and path.is_relative_to(tree):
                yield path


def _run(by: Tools, command: Sequence[str], tree: Path) -> str:
    try:
        return by.run(command, tree.parent, _TREE, what="the Linux source")
    except BackendError as error:
        raise BackendError(error.message, hint="is the disk full?") from None
