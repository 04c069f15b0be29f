"""Where else a file may be: Guix's `mirrors` (for `mirror://NAME/…`) and `content-addressed-mirrors`.

The first is an association list. The second is a small program that makes URLs out of a file's name, hash algorithm and hash. xboot runs
no program that a derivation brings; it
understands the few forms that Guix's own has (`string-append` of constants and of the three arguments, alone or in a function of the
host's name) and passes over all others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from xboot._records import dataclass
from xboot.errors import InputError
from xboot.fetch.scheme import Datum, Symbol, read_scheme
from xboot.storepath import nix32

__all__ = ["ContentAddress", "content_addressed_urls", "expand_mirror", "parse_mirrors"]


@dataclass(frozen=True, slots=True)
class ContentAddress:
    """What a content-addressed mirror is asked for: the file's name, the algorithm and the digest of the flat file in hex."""

    name: str
    algo: str
    hex: str


def parse_mirrors(text: str, where: str) -> dict[str, list[str]]:
    """Base URLs of each mirror by name."""
    data = read_scheme(text, where)
    mirrors: dict[str, list[str]] = {}
    for entry in data if isinstance(data, list) else ():
        if not (isinstance(entry, list) and entry and isinstance(entry[0], Symbol)):
            raise InputError(f"{where}: not a list of mirrors")
        mirrors[str(entry[0])] = [url for url in entry[1:] if isinstance(url, str) and not isinstance(url, Symbol)]
    return mirrors


def expand_mirror(url: str, mirrors: Mapping[str, Sequence[str]]) -> list[str]:
    """The URLs that `url` stands for: itself, or for `mirror://NAME/PATH` one at each mirror (itself again when the name is unknown)."""
    if not url.startswith("mirror://"):
        return [url]
    name, _, path = url.removeprefix("mirror://").partition("/")
    return [base.rstrip("/") + "/" + path for base in mirrors.get(name, ())] or [url]


def content_addressed_urls(text: str, where: str, content: ContentAddress) -> list[str]:
    """The URLs that a `content-addressed-mirrors` program gives for one file, as far as it is of the known forms."""
    program = read_scheme(text, where)
    functions: dict[str, tuple[str, Datum]] = {}
    urls = []
    for form in program if isinstance(program, list) else ():
        match form:
            case [Symbol("define"), [Symbol() as name, Symbol() as parameter], body]:
                functions[name] = (parameter, body)
            case [Symbol("list"), *makers]:
                urls += [url for maker in makers if (url := _apply(maker, functions, content)) is not None]
            case _:
                pass
    return urls


def _apply(maker: Datum, functions: Mapping[str, tuple[str, Datum]], content: ContentAddress) -> str | None:
    bindings: dict[str, str] = {}
    match maker:
        case [Symbol() as name, str() as argument] if name in functions and not isinstance(argument, Symbol):
            parameter, maker = functions[name]
            bindings[parameter] = argument
        case _:
            pass
    match maker:
        case [Symbol("lambda"), [Symbol() as file, Symbol() as algo, Symbol() as digest], body]:
            calls = {
                ("symbol->string", str(algo)): content.algo,
                ("bytevector->nix-base32-string", str(digest)): nix32(bytes.fromhex(content.hex)),
                ("bytevector->base16-string", str(digest)): content.hex,
            }
            return _string(body, bindings | {str(file): content.name}, calls)
        case _:
            return None


def _string(form: Datum, bindings: Mapping[str, str], calls: Mapping[tuple[str, str], str]) -> str | None:
    """The value of a string expression; None when it is of no known form."""
    match form:
        case Symbol():
            return bindings.get(form)
        case str():
            return form
        case [Symbol("string-append"), *parts]:
            values = [_string(part, bindings, calls) for part in parts]
            return None if None in values else "".join(value for value in values if value is not None)
        case [Symbol() as function, Symbol() as argument]:
            return calls.get((function, argument))
        case _:
            return None
