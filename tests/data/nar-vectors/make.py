"""Writes vectors.json: describes trees, makes each in a temporary folder, and asks nix-store for its NAR."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
Tree = dict[str, Any]


def file(content: str | list[Any] = "", executable: bool = False) -> Tree:
    return {"file": content} | ({"executable": True} if executable else {})


def folder(**entries: Tree) -> Tree:
    return {"folder": [[name, tree] for name, tree in entries.items()]}


def entries(*pairs: tuple[str, Tree]) -> Tree:
    return {"folder": [list(pair) for pair in pairs]}


def nested(depth: int, tree: Tree) -> Tree:
    for _ in range(depth):
        tree = folder(d=tree)
    return tree


def vectors() -> dict[str, Tree]:
    found = {
        "empty file": file(),
        "file": file("hello\n"),
        "executable": file("#!/bin/sh\n", executable=True),
        "empty executable": file("", executable=True),
        "link": {"link": "/nix/store/target"},
        "dangling relative link": {"link": "../../no where"},
        "link to itself": {"link": "."},
        "long link": {"link": "x" * 4095},
        "link with odd bytes": {"link": '\xff\n\x01"\\'},
        "empty folder": folder(),
        "small tree": folder(
            bin=folder(tool=file("x", True), link={"link": "tool"}), share=folder(doc=folder(text=file("text")), empty=folder())
        ),
        "hidden": entries((".a", file("1")), ("..b", file("2")), ("...", folder()), ("-", file())),
        "bytewise order": entries(
            *(
                (n, file(n))
                for n in ("b", "a", "B", "A", "aa", "a.", "a-", "a0", "Z", "~", "_", "\x7f", "\x80", "\xff", "\x01", "a\xff", "a\x01")
            )
        ),
        "folder before longer names": entries(
            ("foo", folder(x=file())), ("foo.c", file("c")), ("foo-", file("-")), ("foo0", file("0")), ("fo", file("o"))
        ),
        "names with control bytes": entries(
            ("new\nline", file("n")),
            ("tab\t", file("t")),
            ("\x1b[31m", file("e")),
            ('quo"te', file("q")),
            ("back\\slash", file("b")),
            (" ", file("s")),
        ),
        "names that are not UTF-8": entries(("\xff\xfe", file("1")), ("\xc3\x28", file("2")), ("\xc3\xa9", file("3")), ("\xe9", file("4"))),
        "longest name": entries(("n" * 255, file("long"))),
        "case": entries(("file", file("1")), ("FILE", file("2")), ("File", folder())),
        "64 levels": nested(63, folder(last=file("deep"))),
        "many entries": entries(*((f"entry-{i * 7919 % 2003}", file(str(i))) for i in range(2003))),
        "many links": entries(*((f"{i:x}", {"link": f"{i}"}) for i in range(300))),
        "words of the format": folder(
            **{
                "(": file(")"),
                ")": file("("),
                "type": folder(type=file("regular")),
                "entry": {"link": "entry"},
                "nix-archive-1": file("nix-archive-1"),
            }
        ),
        "64 KiB less one": file(["x", 65535]),
        "64 KiB": file(["x", 65536]),
        "64 KiB and one": file(["x", 65537]),
        "all bytes": file(["".join(map(chr, range(256))), 700]),
        "one million a": file(["a", 1000000]),
        "zeros": folder(zeros=file(["\0", 3 << 20]), one=file("\1", True)),
    }
    found |= {
        f"file of {n} bytes": file(["p", n]) for n in (*range(1, 10), 15, 16, 17, 55, 56, 63, 64, 65, 119, 120, 127, 128, 4095, 4096, 4097)
    }
    found |= {f"link of {n} bytes": {"link": "l" * n} for n in (1, 7, 8, 9)}
    found |= {f"name of {n} bytes": entries(("n" * n, file("x"))) for n in (1, 7, 8, 9, 63, 64, 65)}
    return found


def content(value: str | list[Any]) -> bytes:
    text, times = (value, 1) if isinstance(value, str) else value
    return text.encode("latin-1") * times


def plant(path: bytes, tree: Tree) -> None:
    """Make `tree` at `path`."""
    if "file" in tree:
        place = Path(os.fsdecode(path))
        place.write_bytes(content(tree["file"]))
        place.chmod(0o700 if tree.get("executable") else 0o600)
    elif "link" in tree:
        os.symlink(tree["link"].encode("latin-1"), path)
    else:
        Path(os.fsdecode(path)).mkdir()
        for name, below in tree["folder"]:
            plant(path + b"/" + name.encode("latin-1"), below)


def load() -> list[Tree]:
    """The vectors as they stand in the file."""
    found: list[Tree] = json.loads((HERE / "vectors.json").read_text())
    return found


def main() -> None:
    lines = []
    for name, tree in vectors().items():
        with tempfile.TemporaryDirectory() as temporary:
            plant(os.fsencode(temporary) + b"/tree", tree)
            archive = subprocess.run(["nix-store", "--dump", f"{temporary}/tree"], check=True, capture_output=True).stdout
        vector = {"name": name, "tree": tree, "sha256": hashlib.sha256(archive).hexdigest(), "size": len(archive)}
        lines.append(json.dumps(vector, separators=(",", ":")))
    (HERE / "vectors.json").write_text("[\n" + ",\n".join(lines) + "\n]\n")


if __name__ == "__main__":
    main()
