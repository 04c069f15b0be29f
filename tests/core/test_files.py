"""Foreign files are regular, bounded, and say one thing: the reader that all others go through."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from xboot.errors import InputError
from xboot.files import is_regular, load_json, open_regular, read_regular, replacing

HELLO = Path(__file__).parents[2] / "examples" / "hello" / "recipe.toml"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b'{"a": 1, "a": 1}', "'a' is there twice"),
        (b'[{"x": {"b": null, "c": 0, "b": 2}}]', "'b' is there twice"),
        (b"NaN", "NaN is no JSON"),
        (b"[-Infinity]", "-Infinity is no JSON"),
        (b"1e400", "too large"),
        (b"1" + b"0" * 400, "a number of 401 digits"),
        (b"1" + b"0" * 100_000, "a number of 100001 digits"),
        (b'"\\ud800"', "half a character"),
        (b'{"\\udfff": 1}', "half a character"),
        (b'["\\ud83d\\ude00", "\\ud83d"]', "half a character"),
        (b"[" * 200_000, "nested too deeply"),
        (b'"\xff"', "utf-8"),
        (b"\xef\xbb\xbf1", "BOM"),
        (b"1 2", "Extra data"),
        (b"", "Expecting value"),
    ],
)
def test_json_with_several_meanings_is_none(text: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        load_json(text)


def test_json_with_one_meaning() -> None:
    assert load_json(b'{"a": [1, -2.5, 1e15, true, null, "\\ud83d\\ude00 \xc3\xa4"], "b": {}}') == {
        "a": [1, -2.5, 1e15, True, None, "\U0001f600 ä"],
        "b": {},
    }


def test_only_regular_files_of_a_stated_size_are_read(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"12345")
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "link").symlink_to("file")
    assert read_regular(tmp_path / "link", 5, "a thing") == b"12345"
    assert is_regular(tmp_path / "link")
    with pytest.raises(InputError, match="5 bytes are more than a thing may have"):
        read_regular(file, 4, "a thing")
    for name, reason in (("fifo", "not a regular file"), (".", "not a regular file"), ("none", "No such file"), ("a\0b", "null byte")):
        with pytest.raises(InputError, match=reason):
            read_regular(tmp_path / name, 5, "a thing")
        assert not is_regular(tmp_path / name)
    with pytest.raises(InputError, match="symbolic links"):
        open_regular(tmp_path / "link", follow=False)
    with pytest.raises(InputError, match=r"more bytes than a thing may have \(9 bytes\)"):  # its size is said to be 0
        read_regular(Path("/proc/self/status"), 9, "a thing")
    with pytest.raises(InputError, match="not a regular file"):
        read_regular(Path("/dev/zero"), 9, "a thing")


@pytest.mark.apt
@pytest.mark.compiler
@pytest.mark.parametrize(
    "arguments",
    [
        ("plan", "{fifo}.toml"),
        ("plan", "{fifo}.drv"),
        ("plan", "{fifo}"),
        ("derive", "{fifo}.toml"),
        ("run", "--expect-file", "{fifo}", HELLO),
        ("verify-attestation", "--key", "{fifo}.pub", "{fifo}"),
        ("attest", "--key", "{fifo}.key", HELLO),
    ],
)
def test_a_pipe_as_input_is_refused_at_once(tmp_path: Path, arguments: tuple[object, ...]) -> None:
    fifo = tmp_path / "fifo"
    for ending in ("", ".toml", ".drv", ".pub", ".key"):
        os.mkfifo(f"{fifo}{ending}")
    command = [sys.executable, "-m", "xboot", *(str(a).replace("{fifo}", str(fifo)) for a in arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, timeout=120)
    assert done.returncode == 3, done.stderr
    assert "regular file" in done.stderr or "neither a derivation nor" in done.stderr or "no such file" in done.stderr


# Where a reader may open a file by itself: what xboot itself wrote or made, and /proc.
OWN = {
    "core/xboot/frontends/bundle.py": 1,  # the roots of a bundle that was unpacked into the cache
    "core/xboot/boot/memory.py": 1,  # /proc/meminfo, /sys/fs/cgroup
}


def test_readers_read_files_here_only() -> None:
    root = Path(__file__).parents[2]
    found = {}
    for folder in ("parse", "linearize", "attest", "frontends", "recipe", "fetch", "boot", "compare"):
        for file in sorted((root / "core" / "xboot" / folder).glob("*.py")):
            calls = [ast.unparse(n.func) for n in ast.walk(ast.parse(file.read_text())) if isinstance(n, ast.Call)]
            own = [name for name in calls if name.endswith((".read_text", ".read_bytes")) and name != "stores.read_text"]
            own += [name for name in calls if name in ("json.loads", "json.load", "tomllib.load", "open")]
            if own:
                found[str(file.relative_to(root))] = len(own)
    assert found == OWN


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    """It has the rights of any new file, and what its place links to stays."""
    usual, target, elsewhere = (tmp_path / name for name in ("usual", "target", "elsewhere"))
    usual.touch()
    elsewhere.write_text("precious")
    target.symlink_to(elsewhere)
    with replacing(target) as scratch:
        assert scratch.parent == tmp_path and target.name not in scratch.name
        scratch.write_text("new")
    assert target.read_text() == "new" and not target.is_symlink() and elsewhere.read_text() == "precious"
    assert target.stat().st_mode == usual.stat().st_mode
    with pytest.raises(KeyError), replacing(target) as scratch:
        scratch.write_text("half")
        raise KeyError
    assert target.read_text() == "new" and len(list(tmp_path.iterdir())) == 3
