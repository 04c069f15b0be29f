"""Bringing outputs out of the guest, as NARs, through its memory."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import shutil
import stat
from pathlib import Path
from typing import BinaryIO

from xboot import nar
from xboot.boot.channel import Message
from xboot.errors import GuestError, InputError, about_file

MAX_EXPORTS = 16 << 30
"""Bytes of all NARs together that one run may bring out: more than any guest has in memory, so that holes alone can exceed it."""


class Exporter:
    """Collects pieces into `FOLDER/NAME.nar`; a file gets its name only when its hash is the one that the guest
    reported and it is a well-formed NAR.

    A run that fails leaves the NARs that were complete by then, and nothing half-written.
    """

    def __init__(self, folder: Path, scratch: Path) -> None:
        """`scratch` is where the machine writes each piece: the machine is as hostile as its guest, and reaches no other folder."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._scratch = folder, scratch
        self._tag = secrets.token_hex(4)
        self.files: dict[str, Path] = {}
        self._size = 0

    def part_file(self) -> Path:
        """Where the machine shall put the next piece."""
        return (self._scratch / f"{self._tag}.part").absolute()

    def _whole(self) -> Path:
        return self._folder / f".{self._tag}.nar"

    def append(self, message: Message, part: Path) -> None:
        """Take over a piece that the machine wrote. Raises GuestError when the whole is not what the guest said it was."""
        self._check_limit(message)
        whole = self._whole()
        with about_file(whole), _open_piece(part) as source, whole.open("ab") as sink:
            if sink.tell() != message.offset:
                raise GuestError(f"the export of {message.path} is at byte {sink.tell()}, but the guest speaks of byte {message.offset}")
            data = source.read(message.length)
            if len(data) != message.length:
                self.check_room(message)
                raise GuestError(f"the machine saved {len(data)} of {message.length} bytes of {message.path}; is the disk full?")
            sink.write(data)
        if message.offset + message.length == message.size:
            self._complete(message, whole)

    def _check_limit(self, message: Message) -> None:
        """A file with holes takes no room in the guest: before the first byte, it is the size of all that is to come that counts."""
        if message.offset == 0:
            self._size += message.size
            if self._size > MAX_EXPORTS:
                raise GuestError(f"{message.path}: {self._size} bytes of NARs are more than are brought out of a guest ({MAX_EXPORTS})")

    def check_room(self, message: Message) -> None:
        """After a piece could not be saved: raise OSError when that is because the disk is full."""
        for folder in (self._scratch, self._folder):
            if shutil.disk_usage(folder).free < message.length:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))

    def _complete(self, message: Message, whole: Path) -> None:
        with whole.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
            if found != message.sha256:
                raise GuestError(f"{message.path}: the NAR that came out has SHA-256 {found}, the guest reported {message.sha256}")
            file.seek(0)
            try:
                for _ in nar.read(file):
                    pass
            except InputError as error:
                raise GuestError(
                    f"{message.path}: what came out has the hash that the guest reported, but is no NAR: {error.message}"
                ) from None
        target = self._folder / f"{message.path.rsplit('/', 1)[1]}.nar"
        os.replace(whole, target)
        self.files[message.path] = target

    def close(self) -> None:
        """Remove what is incomplete."""
        self.part_file().unlink(missing_ok=True)
        self._whole().unlink(missing_ok=True)


def _open_piece(part: Path) -> BinaryIO:
    """The piece that the machine wrote. Raises GuestError when it put anything but a plain file there, such as a link to another."""
    try:
        descriptor = os.open(part, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise GuestError(f"the machine saved no file as {part.name}: {error.strerror}") from error
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1:
        os.close(descriptor)
        raise GuestError(f"the machine saved no plain file as {part.name}")
    return os.fdopen(descriptor, "rb")
