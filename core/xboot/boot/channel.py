"""The host's end of the result channel (docs/contract.md, section 5): a strict reader. Everything that a guest prints is hostile.

`ChannelReader.feed` takes one line and returns what it says, or raises GuestError. It keeps the order: hello,
sources, then for each step begin and its outputs, then done; a run that departs from it in any way is a failed run.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Sequence

from xboot._records import dataclass
from xboot.errors import GuestError, InputError
from xboot.foreign import printable
from xboot.model import Phase, Script
from xboot.sexp import quote, unquote

MAX_LINE = 1 << 20
READY = b"(xboot 1)"
ACK = b"(ack)\n"
KINDS = frozenset({"exit", "signal", "start", "output", "source", "limit", "internal"})

_TOKEN = re.compile(rb'( ?)(\(|\)|"(?:[ !#-\[\]-~]|\\(?:n|"|\\|x[0-9a-f]{2}))*"|0|[1-9][0-9]{0,18}|[a-z]+)')

Value = int | bytes | str | list["Value"]


@dataclass(frozen=True, slots=True)
class Message:
    """One line of the guest, checked: `path` is that of the source or output, `name` the output's, `text` the reason
    of a failure, `kind` its kind.
    """

    phase: Phase
    step: int = 0
    name: str = ""
    path: str = ""
    sha256: str = ""
    size: int = 0
    references: Sequence[str] = ()
    offset: int = 0
    length: int = 0
    kind: str = ""
    text: str = ""


def run_line(nonce: str, base: int, size: int, paths: Sequence[str]) -> bytes:
    """What the host answers to `(xboot 1)`."""
    return f"(run {quote(nonce)} {base} {size}{''.join(' ' + quote(path) for path in paths)})\n".encode()


class ChannelReader:
    """The state of one run's channel. `script` is what the guest was given, `nonce` what only the executor was told. `before`: steps of the
    plan before the script's first, for what is said to people.
    """

    def __init__(self, script: Script, nonce: str, exports: Sequence[str] = (), window: int = 0, before: int = 0) -> None:
        self._script = script
        self._before = before
        self._nonce = nonce
        self._exports = frozenset(exports)
        self._window = window
        self._greeted = False
        self._sources = iter(script.sources)
        self._sources_left = len(script.sources)
        self._visible: dict[int, frozenset[str]] = {}
        self._step = 0
        self._outputs_left: list[tuple[str, str]] = []
        self._last: Message | None = None
        self._exported = 0
        self.finished = False

    def feed(self, line: bytes) -> Message:
        """Check one line (without its line feed). Raises GuestError naming what was found and what would have been right."""
        if self.finished:
            raise self._bad(line, "nothing, since the run was over")
        word, values = self._parse(line)
        handler = getattr(self, f"_on_{word}", None)
        if handler is None:
            raise self._bad(line, "a line of the contract")
        nonce = values[0] if values else b""
        if not isinstance(nonce, bytes) or not hmac.compare_digest(nonce, self._nonce.encode()):
            raise self._bad(line, "this run's nonce")
        try:
            message = handler(*values[1:])
        except (TypeError, ValueError, InputError):
            raise self._bad(line, f"the arguments of {word}") from None
        if not isinstance(message, Message):
            raise self._bad(line, message)
        self._last = message
        return message

    # Each handler returns the message, or what it would have expected instead. Arguments of a wrong number or type end as TypeError above.

    def _on_hello(self, digest: Value) -> Message | str:
        if self._greeted:
            return "no second hello"
        self._greeted = True
        sha256 = _hash(digest)
        if sha256 != self._script.sha256:
            raise GuestError(f"the guest read a script with SHA-256 {sha256}, but was given {self._script.sha256}")
        return Message(Phase.HELLO, sha256=sha256)

    def _on_source(self, path: Value, algorithm: Value, digest: Value, size: Value) -> Message | str:
        source = next(self._sources, None) if self._greeted and not self._step else None
        if source is None:
            return "no source at this point"
        self._sources_left -= 1
        if (_text(path), algorithm, _hash(digest)) != (source.path, b"sha256", source.nar_sha256):
            return f"the source {source.path} with SHA-256 {source.nar_sha256}"
        return Message(Phase.SOURCE, path=source.path, sha256=source.nar_sha256, size=_number(size))

    def _on_begin(self, number: Value) -> Message | str:
        if (
            not self._greeted
            or self._sources_left
            or self._outputs_left
            or self._exported
            or number != self._step + 1
            or self._step >= len(self._script.steps)
        ):
            return f"to be at {self.where}"
        self._step += 1
        self._outputs_left = [(output.name, output.path) for output in self._script.steps[self._step - 1].outputs]
        return Message(Phase.BEGIN, step=self._step)

    def _on_output(self, number: Value, name: Value, algorithm: Value, digest: Value, size: Value, references: Value) -> Message | str:
        if self._exported:
            return "the rest of an export"
        if number != self._step or not self._outputs_left or _text(name) != self._outputs_left[0][0] or algorithm != b"sha256":
            return (
                f"output {self._outputs_left[0][0]!r} of step {self._step + self._before}"
                if self._outputs_left
                else f"to be at {self.where}"
            )
        output, path = self._outputs_left.pop(0)
        found = [_text(reference) for reference in _list(references)]
        if found != sorted(set(found), key=str.encode) or any(not r.startswith(self._script.store_dir + "/") for r in found):
            return "references that are store paths, in order"
        return Message(Phase.OUTPUT, step=self._step, name=output, path=path, sha256=_hash(digest), size=_number(size), references=found)

    def _on_export(self, number: Value, name: Value, offset: Value, length: Value) -> Message | str:
        last = self._last
        started = last is not None and (last.phase is Phase.OUTPUT or (last.phase is Phase.EXPORT and self._exported > 0))
        if last is None or not started or last.path not in self._exports:
            return "no export at this point"
        start, count = _number(offset), _number(length)
        if (
            number != self._step
            or _text(name) != last.name
            or start != self._exported
            or not 0 < count <= min(self._window, last.size - start)
        ):
            return f"{last.name!r} from offset {self._exported}"
        self._exported = 0 if start + count == last.size else start + count
        return Message(Phase.EXPORT, self._step, last.name, last.path, last.sha256, last.size, offset=start, length=count)

    def _on_fail(self, number: Value, kind: Value, why: Value) -> Message | str:
        if not isinstance(kind, str) or kind not in KINDS or number not in (0, self._step) or not self._greeted:
            return "a failure of the current step"
        self.finished = True
        return Message(Phase.FAIL, step=_number(number), kind=kind, text=printable(_bytes(why)))

    def _on_done(self) -> Message | str:
        if not self._greeted or self._sources_left or self._outputs_left or self._exported or self._step != len(self._script.steps):
            return f"to be at {self.where}"
        self.finished = True
        return Message(Phase.DONE, step=self._step)

    @property
    def step(self) -> int:
        """The step that runs now; 0 before the first."""
        return self._step

    @property
    def where(self) -> str:
        """Where the run is, in words."""
        if not self._greeted:
            return "the start"
        if not self._step:
            return "the check of the sources"
        return f"step {self._step + self._before} ({self._script.steps[self._step - 1].drv})"

    def _bad(self, line: bytes, expected: str) -> GuestError:
        return GuestError(
            f"the guest broke the result channel's rules at {self.where}: it said {printable(line[:200])}, expected {expected}"
        )

    def _parse(self, line: bytes) -> tuple[str, list[Value]]:
        stack: list[list[Value]] = [[]]
        at, before = 0, b"("
        while at < len(line):
            match = _TOKEN.match(line, at)
            if match is None or len(stack) > 3:
                raise self._bad(line, "a line of the contract")
            at = match.end()
            blank, token = match.groups()
            if bool(blank) == (before == b"(" or token == b")"):
                raise self._bad(line, "one blank between two words, and none else")
            before = token
            if token == b"(":
                stack.append([])
            elif token == b")":
                if len(stack) == 1:
                    raise self._bad(line, "a line of the contract")
                inner = stack.pop()
                stack[-1].append(inner)
            else:
                stack[-1].append(self._atom(token, line))
        top = stack[0]
        if len(stack) != 1 or len(top) != 1 or not isinstance(top[0], list) or not top[0] or not isinstance(top[0][0], str):
            raise self._bad(line, "a line of the contract")
        return top[0][0], top[0][1:]

    def _atom(self, token: bytes, line: bytes) -> Value:
        if token.startswith(b'"'):
            try:
                return unquote(token)
            except InputError:
                raise self._bad(line, "strings in their one way of writing") from None
        return int(token) if token[:1].isdigit() else token.decode()


def _bytes(value: Value) -> bytes:
    if not isinstance(value, bytes):
        raise TypeError
    return value


def _text(value: Value) -> str:
    return _bytes(value).decode("ascii")


def _hash(value: Value) -> str:
    text = _text(value)
    if not re.fullmatch("[0-9a-f]{64}", text):
        raise ValueError
    return text


def _number(value: Value) -> int:
    if not isinstance(value, int):
        raise TypeError
    return value


def _list(value: Value) -> list[Value]:
    if not isinstance(value, list):
        raise TypeError
    return value
