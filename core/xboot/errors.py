"""Every error that xboot raises on purpose.

    XbootError                  exit status 3 unless a subclass says otherwise
    ├── UsageError        2     the command line or a recipe asks for something that makes no sense
    ├── InputError        3     a derivation, NAR, bundle or recipe is malformed, lies, or is incomplete
    │   └── RefusedError  3     valid, but of a kind xboot does not build (docs/refusals.md)
    ├── MissingToolError 4      something is missing on this machine (QEMU, a compiler, disk space); says what mends it
    ├── BackendError      5     a backend could not prepare, package or describe its machine
    │   ├── NotTakenError 5     a machine does not take what a backend boots
    │   └── PluginError   5     a plugin breaks the contract
    └── GuestError        6     the guest crashed, hung, or said something that the channel's grammar does not allow

Verdicts are not errors: `xboot run` exits 0 (all match or nothing to compare with), 1 (an output differs) or 6 (could not run).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class XbootError(Exception):
    """An error that a user can act on: one sentence, and optionally a hint with the next thing to try."""

    exit_code = 3

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(XbootError):
    """The command line, or a recipe, asks for something that makes no sense."""

    exit_code = 2


class InputError(XbootError):
    """A derivation, NAR, bundle, recipe or store path is malformed, lies about itself, or is incomplete."""


class RefusedError(InputError):
    """The input is valid, but of a kind that xboot does not build; docs/refusals.md gives the reason."""


class MissingToolError(XbootError):
    """Something that xboot needs is missing on this machine; the hint names the command that mends it."""

    exit_code = 4


class BackendError(XbootError):
    """A backend could not prepare, package or describe its machine."""

    exit_code = 5


class NotTakenError(BackendError):
    """A machine does not take what a backend boots: the two together are no voter."""


class PluginError(BackendError):
    """A plugin does not keep the contract: wrong type, wrong signature, wrong version, clashing name."""


class GuestError(XbootError):
    """The guest crashed, hung, or said something that the result channel's grammar does not allow."""

    exit_code = 6


@contextmanager
def about_file(path: Path) -> Iterator[None]:
    """An OSError that names no file, as those of `write` do, names `path`."""
    try:
        yield
    except OSError as error:
        error.filename = error.filename or str(path)
        raise
