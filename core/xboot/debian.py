"""Debian packages, through apt as this machine has it configured, without installing anything.

Private apt roots take over the system's sources and keep their own lists, one for the native architecture with
`deb-src`, one for i386 (apart, because an archive whose index of one architecture is out of step would otherwise
spoil both); the system's keyring verifies them. Works without root. Every file comes with its package's version and
its SHA-256, which apt has checked against the signed lists.
"""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from xboot.cache import Cache, file_sha256, locked
from xboot.errors import InputError, MissingToolError

__all__ = ["DebianFile", "DebianPackages", "SourcePackage"]

_ROOM = 128 << 20
_LIST_AGE = 86400.0  # seconds after which apt's lists are fetched again
_NAME = re.compile(r"[a-z0-9][a-z0-9+.\-]+")


@dataclass(frozen=True, slots=True)
class DebianFile:
    """A file from Debian's archive: a `.deb` or a source tarball."""

    package: str
    version: str
    architecture: str
    path: Path
    sha256: str


@dataclass(frozen=True, slots=True)
class SourcePackage:
    """The upstream tarballs of a source package."""

    package: str
    version: str
    tarballs: Sequence[DebianFile]


class DebianPackages:
    """Fetches packages into `cache`. Raises MissingToolError when apt is absent or answers no, InputError for a name that is none."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    # ------------------------------------------------------------ what callers want

    def candidate(self, package: str, architecture: str = "amd64") -> tuple[str, str]:
        """Version and SHA-256 of the `.deb` that apt would fetch now."""
        text = self._root(architecture).show("show", "--no-all-versions", f"{_checked(package)}:{architecture}")
        fields = dict(re.findall(r"^(Version|SHA256): (\S+)$", text, re.MULTILINE))
        if len(fields) != 2:
            raise MissingToolError(
                f"Debian package {package}:{architecture} is not offered by this machine's apt sources",
                hint="check the sources in /etc/apt, then `apt-get update`",
            )
        return fields["Version"], fields["SHA256"]

    def search(self, pattern: str) -> list[str]:
        """Names of packages that match a regular expression, sorted."""
        text = self._root("amd64").show("search", "--names-only", pattern)
        return sorted(line.split(" ", 1)[0] for line in text.splitlines())

    def binary(self, package: str, architecture: str = "amd64") -> DebianFile:
        """The package's `.deb`."""
        version, sha256 = self.candidate(package, architecture)
        folder = self._cache.folder(
            "debian",
            {"package": package, "version": version, "architecture": architecture, "sha256": sha256},
            lambda work: self._root(architecture).download(work, ["download", f"{package}:{architecture}={version}"]),
        )
        (path,) = folder.glob("*.deb")
        found = file_sha256(path)
        if found != sha256:
            raise InputError(f"{path.name}: SHA-256 is {found}, apt's signed list says {sha256}; run `xboot cache prune` and try again")
        return DebianFile(package, version, architecture, path, sha256)

    def unpacked(self, package: str, architecture: str = "amd64") -> tuple[Path, DebianFile]:
        """The package's files, unpacked into a folder of the cache."""
        deb = self.binary(package, architecture)

        def unpack(work: Path) -> None:
            _run(["dpkg-deb", "--extract", str(deb.path), str(work / "root")], f"unpack {deb.path.name}")

        return self._cache.folder("debian-unpacked", {"sha256": deb.sha256}, unpack) / "root", deb

    def source(self, package: str) -> SourcePackage:
        """The upstream tarballs of a source package (Debian's own changes are not fetched)."""
        text = self._root("amd64").show("showsrc", "--only-source", _checked(package))
        stanza, version = _newest(text)
        if not version:
            raise MissingToolError(
                f"Debian source package {package} is not offered by this machine's apt sources",
                hint="the same sources must offer deb-src; check those in /etc/apt",
            )
        sums = {name: digest for digest, name in re.findall(r"^ ([0-9a-f]{64}) \d+ (\S+)$", stanza, re.MULTILINE) if ".orig" in name}
        wanted = {name: digest for name, digest in sums.items() if not name.endswith(".asc")}
        folder = self._cache.folder(
            "debian-source",
            {"package": package, "version": version, **wanted},
            lambda work: self._root("amd64").download(work, ["source", "--download-only", "--tar-only", f"{package}={version}"]),
        )
        tarballs = []
        for name, digest in sorted(wanted.items()):
            path = folder / name
            found = file_sha256(path) if path.exists() else "nothing"
            if found != digest:
                raise InputError(f"{name}: SHA-256 is {found}, apt's signed list says {digest}; run `xboot cache prune` and try again")
            tarballs.append(DebianFile(package, version, "source", path, digest))
        return SourcePackage(package, version, tarballs)

    def _root(self, architecture: str) -> _AptRoot:
        return _AptRoot(self._cache.root / "apt" / ("i386" if architecture == "i386" else "amd64"))


class _AptRoot:
    """One private apt root: its folder is named after the architecture that its lists are for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def download(self, work: Path, arguments: Sequence[str]) -> None:
        try:
            self._apt("apt-get", arguments, work)
        except MissingToolError:
            self._update()  # the archive has moved on since the lists were fetched
            self._apt("apt-get", arguments, work)

    def show(self, *arguments: str) -> str:
        """What apt-cache prints; empty when it knows nothing. Answers are kept as long as the lists are: asking takes apt half a second."""
        self._folder.mkdir(parents=True, exist_ok=True)
        lists, memory = self._folder / "lists", self._folder / "answers.json"
        with locked(self._folder.with_suffix(".lock"), "apt's lists of packages"):
            if not (any(lists.glob("*_Packages*")) and time.time() - lists.stat().st_mtime < _LIST_AGE):
                self._update()
            answers = _remembered(memory)
            question = " ".join(arguments)
            if question not in answers:
                try:
                    answers[question] = self._apt("apt-cache", arguments, None)
                except MissingToolError:
                    return ""
                scratch = memory.with_suffix(".new")
                scratch.write_text(json.dumps(answers))
                scratch.replace(memory)
            return answers[question]

    def _update(self) -> None:
        for folder in ("lists/partial", "archives/partial", "etc"):
            (self._folder / folder).mkdir(parents=True, exist_ok=True)
        (self._folder / "etc" / "sources.list").write_text(_sources(self._folder.name))
        if shutil.disk_usage(self._folder).free < _ROOM:  # on a full disk `apt-get update` may wait for ever
            raise OSError(errno.ENOSPC, f"less than {_ROOM >> 20} MiB are free, which apt's lists of packages need", str(self._folder))
        try:
            self._apt("apt-get", ["update"], None)
        except MissingToolError:
            # One archive of several out of step (a mirror in mid-sync) is no reason to stop: what the others offer is signed all the same.
            if not any((self._folder / "lists").glob("*_Packages*")):
                raise
        os.utime(self._folder / "lists")
        (self._folder / "answers.json").unlink(missing_ok=True)

    def _apt(self, program: str, arguments: Sequence[str], work: Path | None) -> str:
        root = self._folder
        options = {
            "Dir::Etc::sourcelist": root / "etc" / "sources.list", "Dir::Etc::sourceparts": "-", "Dir::State::lists": root / "lists",
            "Dir::Cache": root, "Dir::State::status": "/var/lib/dpkg/status", "APT::Architectures": "amd64,i386",
            "APT::Sandbox::User": "", "Acquire::Languages": "none", "Debug::NoLocking": "1",
        }  # fmt: skip
        command = [program, "--quiet=2", *(f"-o{key}={value}" for key, value in options.items()), *arguments]
        return _run(command, f"{program} {' '.join(arguments)}", work)


def _remembered(memory: Path) -> dict[str, str]:
    try:
        found = json.loads(memory.read_text())
    except (OSError, ValueError):
        return {}  # not there, or damaged: apt is asked again
    return found if isinstance(found, dict) else {}


def _run(command: Sequence[str], what: str, folder: Path | None = None) -> str:
    if shutil.which(command[0]) is None:
        raise MissingToolError(
            f"{command[0]} is not installed, so {what} is not possible", hint="xboot obtains its sources on Debian and its kin"
        )
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        tail = " ".join(line.strip() for line in done.stderr.strip().splitlines()[-3:])
        raise MissingToolError(f"{what} failed (status {done.returncode})", hint=tail or "no message; is the network up?")
    return done.stdout


def _checked(package: str) -> str:
    if not _NAME.fullmatch(package):
        raise InputError(f"{package!r} is not the name of a Debian package")
    return package


def _newest(text: str) -> tuple[str, str]:
    """The stanza with the highest version (by dpkg's order), and that version."""
    best, best_version = "", ""
    for stanza in text.split("\n\n"):
        match = re.search(r"^Version: (\S+)$", stanza, re.MULTILINE)
        if match and (not best_version or _later(match[1], best_version)):
            best, best_version = stanza, match[1]
    return best, best_version


def _later(a: str, b: str) -> bool:
    return subprocess.run(["dpkg", "--compare-versions", a, "gt", b], check=False).returncode == 0


# ---------------------------------------------------------------- the system's sources


def _sources(architecture: str) -> str:
    """The system's Debian sources as one-line entries for one architecture; the native ones also as `deb-src`."""
    lines: list[str] = []
    etc = Path("/etc/apt")
    for file in [etc / "sources.list", *sorted((etc / "sources.list.d").glob("*.list"))]:
        if file.exists():
            lines += _from_one_line(file.read_text())
    for file in sorted((etc / "sources.list.d").glob("*.sources")):
        lines += _from_deb822(file.read_text())
    if not lines:
        raise MissingToolError("no Debian archive is configured in /etc/apt", hint="add one, then `apt-get update`")
    wanted = [line.format(architecture=architecture) for line in lines if architecture != "i386" or not line.startswith("deb-src")]
    return "".join(dict.fromkeys(wanted))


def _entry(options: dict[str, str], uri: str, suite: str, components: str) -> list[str]:
    # Only archives of Debian proper: a vendor's repository holds nothing for us and may lack what we add.
    if components.split()[:1] != ["main"] or "debian" not in uri.lower():
        return []
    kept = {k: v for k, v in options.items() if k in ("signed-by", "trusted", "check-valid-until")}
    rest = "".join(f" {k}={v}" for k, v in kept.items())
    source = f" [{rest.strip()}]" if rest else ""
    return [f"deb [arch={{architecture}}{rest}] {uri} {suite} {components}\n", f"deb-src{source} {uri} {suite} {components}\n"]


def _from_one_line(text: str) -> list[str]:
    lines: list[str] = []
    for line in text.splitlines():
        match = re.match(r"deb\s+(?:\[([^]]*)\]\s+)?(\S+)\s+(\S+)\s+([^#]+)", line.strip())
        if match:
            options = {k.lower(): v for k, _, v in (word.partition("=") for word in (match[1] or "").split())}
            lines += _entry(options, match[2], match[3], match[4].strip())
    return lines


def _from_deb822(text: str) -> list[str]:
    lines: list[str] = []
    for stanza in re.split(r"\n\s*\n", text):
        body = "\n".join(line for line in stanza.splitlines() if not line.startswith("#"))
        fields = {k.lower(): " ".join(v.split()) for k, v in re.findall(r"^([A-Za-z-]+):((?:.*)(?:\n[ \t].*)*)", body, re.MULTILINE)}
        if "deb" not in fields.get("types", "").split() or fields.get("enabled", "yes").lower() == "no":
            continue
        options = {"signed-by": fields["signed-by"]} if fields.get("signed-by", "").startswith("/") else {}
        for uri in fields.get("uris", "").split():
            for suite in fields.get("suites", "").split():
                lines += _entry(options, uri, suite, fields.get("components", ""))
    return lines
