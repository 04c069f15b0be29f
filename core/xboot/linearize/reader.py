"""A strict reader of scripts: for tests, third parties, and whoever wants to see what a script says without running it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import NoReturn

from xboot.errors import InputError
from xboot.linearize.rules import check_rules
from xboot.linearize.text import script_text
from xboot.model import FixedHash, Script, Source, SourceKind, Step, StepOutput
from xboot.sexp import unquote

_TOKEN = re.compile(rb'[ \n]*(\(|\)|"(?:[ !#-\[\]-~]|\\(?:n|"|\\|x[0-9a-f]{2}))*"|[a-z0-9-]+)')


def parse_script(text: bytes) -> Script:
    """The script that `text` says, without places of content or reference checks, which no script has.

    Raises InputError for anything that is not exactly what `script_text` writes, naming the offset, and for what is written rightly but
    can be no plan (`xboot.linearize.rules`).
    """
    try:
        script = _Reader(text).script()
        again = script_text(script.store_dir, script.sources, script.steps, script.results)
    except UnicodeError:
        raise InputError("malformed script: a path, or the name of a file, that is not ASCII") from None
    if again != text:
        raise InputError("malformed script: it is not in its one way of writing")
    check_rules(script)
    return script


class _Reader:
    def __init__(self, text: bytes) -> None:
        self._text = text
        self._at = 0
        self._token = b""
        self._next()

    def _next(self) -> None:
        match = _TOKEN.match(self._text, self._at)
        if match is None:
            if self._text[self._at :].strip(b" \n"):
                self._fail("a token")
            self._token, self._at = b"", len(self._text)
            return
        self._token, self._at = match[1], match.end()

    def _fail(self, expected: str) -> NoReturn:
        raise InputError(
            f"malformed script before byte {self._at}: expected {expected}, found {self._token[:40].decode(errors='replace')!r}"
        )

    def _expect(self, token: bytes) -> None:
        if self._token != token:
            self._fail(token.decode())
        self._next()

    def _open(self, word: bytes) -> None:
        self._expect(b"(")
        self._expect(word)

    def _bytes(self) -> bytes:
        if not self._token.startswith(b'"'):
            self._fail("a string")
        value = unquote(self._token)
        self._next()
        return value

    def _string(self) -> str:
        try:
            return self._bytes().decode()
        except UnicodeDecodeError:
            self._fail("text")

    def _number(self) -> int:
        if not re.fullmatch(rb"[1-9][0-9]{0,8}", self._token):
            self._fail("a number")
        value = int(self._token)
        self._next()
        return value

    def _strings(self) -> list[str]:
        found = []
        while self._token != b")":
            found.append(self._string())
        self._next()
        return found

    def _clause(self, word: bytes) -> str:
        self._open(word)
        value = self._string()
        self._expect(b")")
        return value

    def _digest(self) -> str:
        if self._string() != "sha256":
            self._fail("sha256")
        value = self._string()
        if not re.fullmatch("[0-9a-f]{64}", value):
            self._fail("a SHA-256 in hex")
        return value

    def script(self) -> Script:
        self._open(b"xboot-script")
        self._expect(b"1")
        store = self._clause(b"store")
        sources: list[Source] = []
        steps: list[Step] = []
        while True:
            self._expect(b"(")
            word = self._token
            self._next()
            if word == b"source" and not steps:
                sources.append(self._source())
            elif word == b"step":
                steps.append(self._step(len(steps) + 1))
            elif word == b"result":
                results = self._strings()
                break
            else:
                self._fail("source, step or result")
        self._expect(b")")
        if self._token:
            self._fail("the end")
        return Script(self._text, sha256(self._text).hexdigest(), store, sources, steps, results)

    def _source(self) -> Source:
        path = self._string()
        self._open(b"nar")
        digest = self._digest()
        self._expect(b")")
        self._open(b"references")
        references = self._strings()
        self._expect(b")")
        return Source(path, SourceKind.NAR, Path(), digest, 0, references)

    def _step(self, expected: int) -> Step:
        number = self._number()
        if number != expected:
            self._fail(f"step {expected}")
        drv = self._string()
        system = self._clause(b"system")
        self._open(b"builder")
        builder = self._bytes()
        self._expect(b")")
        self._open(b"argv")
        argv = self._list()
        self._open(b"env")
        env = [(name, value) for name, value in self._groups(2)]
        cwd = self._clause(b"cwd")
        self._open(b"files")
        files = [(name.decode(), content) for name, content in self._groups(2)]
        self._open(b"graphs")
        graphs: list[tuple[str, Sequence[str]]] = [(file.decode(), [p.decode() for p in paths]) for file, *paths in self._groups(0)]
        self._open(b"inputs")
        inputs = self._strings()
        self._open(b"outputs")
        outputs = self._outputs()
        self._expect(b")")
        return Step(number, drv, system, builder, argv, env, cwd, files, graphs, inputs, outputs)

    def _list(self) -> list[bytes]:
        found: list[bytes] = []
        while self._token != b")":
            found.append(self._bytes())
        self._next()
        return found

    def _groups(self, size: int) -> list[list[bytes]]:
        """Parenthesised groups of strings up to the closing parenthesis; `size` 0: two or more strings."""
        found: list[list[bytes]] = []
        while self._token != b")":
            self._expect(b"(")
            group = []
            while self._token != b")":
                group.append(self._bytes())
            self._next()
            if len(group) < 2 or (size and len(group) != size):
                self._fail("a pair of strings")
            found.append(group)
        self._next()
        return found

    def _outputs(self) -> list[StepOutput]:
        found: list[StepOutput] = []
        while self._token != b")":
            self._expect(b"(")
            name, path = self._string(), self._string()
            fixed = None
            if self._token == b"(":
                self._open(b"fixed")
                mode = self._string()
                if mode not in ("flat", "recursive"):
                    self._fail("flat or recursive")
                fixed = FixedHash(mode, self._digest())
                self._expect(b")")
            self._expect(b")")
            found.append(StepOutput(name, path, fixed))
        self._next()
        return found
