"""The results store: what the boots of a run gave, kept so that no verified step is lost and none is believed that was not verified.

ROOT/nars/HH/SHA256.nar            outputs, by content; hashed whenever they are taken
ROOT/verdicts/BASE/SCRIPT.json     what one segment gave, by the digest of its trusted base and the SHA-256 of its script
ROOT/verdicts/BASE/SCRIPT.lock     held while that segment runs: of two runs of one plan, one boots it and the other takes it
ROOT/cuts/CUT.json                 where an earlier run cut a plan, by the plan and its limits
ROOT/runs/RUN.json, RUN.lock       how far a run is, for `xboot runs`; believed by nobody
ROOT/tmp/…                         what running segments write; swept when its process is gone
ROOT/use                           held, shared, by every process that uses the store; whole by one that prunes it

A script's SHA-256 fixes a segment's steps, their environment and the content of all their sources, so that with the base it names the boot
to the byte: a step of another plan is the same boot exactly if both are equal. What is written appears whole or not at all, and is on the
disk before anything refers to it. A verdict carries a code made with a key that lies elsewhere: who can write to the store alone (a shared
folder) can make steps run again, and no verdict.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import hmac
import json
import logging
import os
import re
import secrets
import stat
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import platformdirs
from filelock import FileLock, Timeout

from xboot._workspace import scratch_folder
from xboot.errors import InputError, UsageError
from xboot.files import load_json, open_regular, read_regular

__all__ = ["Pruned", "ResultsStore", "results_root"]

_LOG = logging.getLogger(__name__)
_MAX_VERDICT = 64 << 20
_HEX = re.compile("[0-9a-f]{64}")
_PATIENCE = 0.2  # seconds between two looks at a lock that another process holds


class Pruned(NamedTuple):
    """What was removed: NARs and verdicts, and their bytes."""

    removed: int
    size: int


def results_root() -> Path:
    """`$XBOOT_RESULTS`, or the user's data folder."""
    return Path(os.environ.get("XBOOT_RESULTS") or platformdirs.user_data_path("xboot") / "results").absolute()


def _key_file() -> Path:
    """`$XBOOT_RESULTS_KEY`, or a file in the user's state folder: not in the store, which others may be able to write to."""
    return Path(os.environ.get("XBOOT_RESULTS_KEY") or platformdirs.user_state_path("xboot") / "results.key").absolute()


class ResultsStore:
    """The store below `root` (default: `results_root()`). Any number of threads and processes may use it at once.

    Raises InputError when something in the place of one of its folders is none, UsageError for a key that others can read, OSError.
    """

    def __init__(self, root: Path | None = None, key_file: Path | None = None) -> None:
        self.root = root or results_root()
        self.root.mkdir(parents=True, exist_ok=True)
        for name in ("nars", "verdicts", "cuts", "runs", "tmp"):
            self._folder(name)
        self._key = _read_key(key_file or _key_file())
        self._use = os.open(self.root / "use", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
        fcntl.flock(self._use, fcntl.LOCK_SH)

    def close(self) -> None:
        """Let others prune it."""
        if self._use >= 0:
            os.close(self._use)
            self._use = -1

    def __enter__(self) -> ResultsStore:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def scratch(self) -> contextlib.AbstractContextManager[Path]:
        """A folder for one segment's files, on the store's own file system; gone afterwards."""
        return scratch_folder(self._folder("tmp"))

    # ------------------------------------------------------------ contents

    def put_nar(self, file: Path, sha256: str) -> Path:
        """Move `file`, whose SHA-256 the caller has computed, into its place; its new path. It is on the disk afterwards."""
        target = self._nar(sha256)
        with file.open("rb") as written:
            os.fchmod(written.fileno(), 0o444)
            os.fsync(written.fileno())
        os.replace(file, target)
        _sync_folder(target.parent)
        return target

    def nar(self, sha256: str, size: int) -> Path | None:
        """The NAR of this content; None when it is not there, or is something else (which is then removed)."""
        target = self._nar(sha256)
        if not os.path.lexists(target):
            return None
        try:
            with open_regular(target, follow=False) as file:
                if os.fstat(file.fileno()).st_size == size and hashlib.file_digest(file, "sha256").hexdigest() == sha256:
                    os.utime(file.fileno())
                    return target
        except (InputError, PermissionError):
            pass
        _LOG.warning("%s: not the NAR that was put there; it is removed, and made again", target)
        _remove(target)
        return None

    def _nar(self, sha256: str) -> Path:
        assert _HEX.fullmatch(sha256)
        return self._folder("nars", sha256[:2]) / f"{sha256}.nar"

    # ------------------------------------------------------------ verdicts

    def put_verdict(self, base: str, script: str, body: dict[str, Any]) -> None:
        """Keep what a segment gave. Its NARs are there already."""
        self._put(self._verdict(base, script), {**body, "base": base, "script": script})

    def verdict(self, base: str, script: str) -> dict[str, Any] | None:
        """What was kept of this very boot; None when nothing was, or when it was changed since (then it is removed)."""
        file = self._verdict(base, script)
        if not os.path.lexists(file):
            return None
        body = self._body(file)
        if body is not None and (body.get("base"), body.get("script")) == (base, script):
            os.utime(file)
            return body
        _LOG.warning("%s: not a verdict that was put there by you; it is removed, and its steps run again", file)
        _remove(file)
        return None

    def verdicts(self) -> Iterator[dict[str, Any]]:
        """What was kept of all boots, as far as it was put there by this user. Nothing is removed, and nothing counts as used by this."""
        for file in self._folder("verdicts").glob("*/*.json"):
            body = self._body(file)
            if body is not None and (body.get("base"), body.get("script")) == (file.parent.name, file.stem):
                yield body

    def _verdict(self, base: str, script: str) -> Path:
        assert _HEX.fullmatch(base) and _HEX.fullmatch(script)
        return self._folder("verdicts", base) / f"{script}.json"

    def _put(self, file: Path, body: dict[str, Any]) -> None:
        _write_whole(file, json.dumps({"body": body, "code": self._code(body)}, indent=1).encode())

    def _body(self, file: Path) -> dict[str, Any] | None:
        """What stands in `file`, with the right code; None for anything else."""
        with contextlib.suppress(InputError, ValueError, OSError, RecursionError):
            with open_regular(file, follow=False):
                pass
            value = load_json(read_regular(file, _MAX_VERDICT, "a verdict"))
            if isinstance(value, dict) and isinstance(value.get("body"), dict) and isinstance(value.get("code"), str):
                body: dict[str, Any] = value["body"]
                if hmac.compare_digest(value["code"].encode(), self._code(body).encode()):
                    return body
        return None

    def _code(self, body: dict[str, Any]) -> str:
        text = json.dumps(body, sort_keys=True, separators=(",", ":"))
        return hmac.new(self._key, b"xboot verdict 1\0" + text.encode(), hashlib.sha256).hexdigest()

    @contextlib.contextmanager
    def busy(self, base: str, script: str, stop: threading.Event) -> Iterator[None]:
        """Hold this segment, so that no other process boots it now. Waits for one that does, until `stop` is set."""
        lock = FileLock(self._verdict(base, script).with_suffix(".lock"))
        said = False
        while True:
            try:
                lock.acquire(timeout=_PATIENCE)
                break
            except Timeout:
                if stop.is_set():
                    break
                if not said:
                    _LOG.warning("waiting for another xboot, which runs the same step")
                    said = True
        try:
            yield
        finally:
            lock.release(force=True)

    # ------------------------------------------------------------ cuts

    def put_cut(self, name: str, ends: Sequence[int]) -> None:
        """Keep where a plan was cut: the last step of each segment. `name`: a SHA-256 in hex of plan and limits."""
        self._put(self._cut(name), {"cut": name, "ends": list(ends)})

    def cut(self, name: str) -> list[int] | None:
        """What was kept under this name; None when nothing was, or when somebody else wrote it."""
        file = self._cut(name)
        body = self._body(file) if os.path.lexists(file) else None
        if body is None or body.get("cut") != name:
            return None
        os.utime(file)
        ends: list[int] = body["ends"]
        return ends

    def _cut(self, name: str) -> Path:
        assert _HEX.fullmatch(name)
        return self._folder("cuts") / f"{name}.json"

    # ------------------------------------------------------------ runs

    def put_run(self, name: str, body: dict[str, Any]) -> None:
        """Note how far a run is."""
        _write_whole(self._folder("runs") / f"{name}.json", json.dumps(body).encode())

    def running(self, name: str) -> FileLock:
        """The lock that says that a run goes on."""
        return FileLock(self._folder("runs") / f"{name}.lock")

    def runs(self) -> Iterator[tuple[str, dict[str, Any], bool]]:
        """Name, what was noted, and whether a process is at it, of every run that can be read; the latest first."""
        files = [(file.lstat().st_mtime, file) for file in self._folder("runs").glob("*.json")]
        for _, file in sorted(files, reverse=True):
            with contextlib.suppress(InputError, ValueError, OSError):
                value = load_json(read_regular(file, 1 << 20, "what is noted of a run"))
                if isinstance(value, dict):
                    yield file.stem, value, self._goes_on(file.stem)

    def _goes_on(self, name: str) -> bool:
        lock = self.running(name)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return True
        lock.release()
        return False

    # ------------------------------------------------------------ pruning

    def prune(self, older: float, keep: int | None = None) -> Pruned:
        """Remove what was not used for `older` seconds, and of the rest what was used longest ago until `keep` bytes are left.

        Raises UsageError while another process uses the store.
        """
        fcntl.flock(self._use, fcntl.LOCK_UN)
        try:
            fcntl.flock(self._use, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UsageError(f"{self.root}: another xboot uses the results", hint="prune them once it has ended") from None
        finally_shared = contextlib.ExitStack()
        finally_shared.callback(fcntl.flock, self._use, fcntl.LOCK_SH)
        with finally_shared:
            found = []
            for kind in ("nars", "verdicts", "cuts", "runs"):
                for file in self._folder(kind).rglob("*"):
                    status = file.lstat()
                    if not stat.S_ISDIR(status.st_mode) and file.suffix != ".lock":
                        found.append((status.st_mtime, status.st_size, file))
            left = sum(size for _, size, _ in found)
            count = total = 0
            for used, size, file in sorted(found):
                if used <= time.time() - older or (keep is not None and left > keep):
                    file.unlink()
                    file.with_suffix(".lock").unlink(missing_ok=True)
                    count, total, left = count + 1, total + size, left - size
            return Pruned(count, total)

    def _folder(self, *names: str) -> Path:
        """A folder of the store, made if it is not there. Raises InputError for a link or file in its place."""
        folder = self.root
        for name in names:
            folder /= name
            try:
                folder.mkdir(mode=0o755)
            except FileExistsError:
                if not stat.S_ISDIR(folder.lstat().st_mode):
                    raise InputError(f"{folder}: not a folder of the results store, but something else", hint="remove it") from None
        return folder


def _read_key(file: Path) -> bytes:
    """The key for verdicts, made once. Raises UsageError when others can read it."""
    if not os.path.lexists(file):
        file.parent.mkdir(parents=True, exist_ok=True)
        part = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as sink:
                sink.write(secrets.token_bytes(32))
                sink.flush()
                os.fsync(sink.fileno())
            with contextlib.suppress(FileExistsError):  # another process was first
                os.link(part, file)
        finally:
            part.unlink()
        _sync_folder(file.parent)
    with open_regular(file, follow=False) as source:
        status = os.fstat(source.fileno())
        key = source.read(33)
    if status.st_mode & 0o077 or status.st_uid not in (os.getuid(), 0):
        raise UsageError(f"{file}: others can read or own the key of your results", hint=f"chmod 600 {file}, or remove it")
    if len(key) != 32:
        raise UsageError(f"{file}: {len(key)} bytes or more, but the key of your results has 32", hint=f"remove {file}")
    return key


def _write_whole(target: Path, data: bytes) -> None:
    """Put a file into its place, whole and on the disk; a crash leaves the old one or the new one."""
    descriptor, part = tempfile.mkstemp(prefix=".part-", dir=target.parent)
    try:
        with os.fdopen(descriptor, "wb") as sink:
            sink.write(data)
            sink.flush()
            os.fsync(sink.fileno())
        os.replace(part, target)
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove(path: Path) -> None:
    """Take `path` out of the way, whatever it is."""
    if path.is_dir() and not path.is_symlink():
        os.replace(path, path.with_name(f"{path.name}.wrong-{secrets.token_hex(4)}"))
    else:
        path.unlink(missing_ok=True)
