"""Numbers in structured attributes: as nix itself writes them into `.attrs.json` and `.attrs.sh`, over thousands of numbers."""

from __future__ import annotations

import json
import random
import struct
from pathlib import Path

import pytest

from xboot.files import load_json
from xboot.linearize.numbers import json_text, shell_number

pytestmark = [pytest.mark.nix, pytest.mark.apt]

EDGES = (
    "0 -0 1 -1 5000000000 -3000000000 4294967296 2147483647 2147483648 -2147483648 -2147483649 9223372036854775807 9223372036854775808 "
    "18446744073709551615 18446744073709551616 -9223372036854775808 -9223372036854775809 123456789012345678901234567890 1e15 1e14 1.5e15 "
    "1e16 123456789012345.0 1234567890123456.0 12345678901234567.0 1e-4 1e-5 1.5e-7 0.1 0.5 2.0 -0.0 1e300 -1e300 16777216.5 16777217.25 "
    "1e-50 -1e-50 2147483647.0 2147483648.0 -2147483648.0 -2147483649.0 4294967296.0 1e22 1.7976931348623157e308 5e-324 99999999.5 -0.5 "
    "2.2250738585072014e-308 3.0e0 1E5 100000000000000000000.0 0.30000000000000004 1626983080611305.8 -356120.48494604393 3.4028236e38"
)


def numbers() -> list[str]:
    chosen = random.Random(7)
    found = EDGES.split()
    for _ in range(1500):
        (value,) = struct.unpack("d", chosen.randbytes(8))
        if value - value == 0:
            found.append(repr(value))
        found += [repr(chosen.uniform(-1e6, 1e6)), str(chosen.getrandbits(chosen.randrange(1, 66)))]
    return found


def test_numbers_as_nix_writes_them(nix, busybox, tmp_path: Path) -> None:
    given = numbers()
    text = _text(given)
    file = tmp_path / "numbers.nix"
    file.write_text(
        """{ busybox }: { numbers = derivation { name = "numbers"; system = "i686-linux"; builder = "${busybox}/bin/sh";
          args = [ "-e" "-c" ''
            export PATH=${busybox}/bin
            o=$(sed -n 's/.*"out":"\\([^"]*\\)".*/\\1/p' .attrs.json); mkdir $o; cp .attrs.json .attrs.sh $o/ '' ];
          __json = builtins.readFile ./numbers.json; }; }"""
    )
    (tmp_path / "numbers.json").write_text(text)
    bb = nix.run("nix-store", "--add", str(busybox["i686-linux"])).stdout.strip()
    expression = f'(import {file} {{ busybox = builtins.storePath "{bb}"; }}).numbers'
    drv = nix.run("nix-instantiate", "-E", expression).stdout.strip()
    nix.realise([drv])
    out = nix.root / nix.run("nix-store", "--query", "--outputs", drv).stdout.strip()[1:]
    written = (out / ".attrs.json").read_text()
    listed = written[written.index('"list":[') + 8 :].partition("]")[0].split(",")
    assert len(listed) == len(given) > 4000
    ours = load_json(text)
    assert {n: json_text(v) for n, v in zip(given, ours["list"], strict=True)} == dict(zip(given, listed, strict=True))
    declared = [
        line[len("declare n") :].split("=", 1) for line in (out / ".attrs.sh").read_text().splitlines() if line.startswith("declare n")
    ]
    mine = {str(place): shell_number(value) for place, value in enumerate(ours["list"])}
    assert {place: value for place, value in mine.items() if value is not None} == {place: value for place, value in declared}


def _text(given: list[str]) -> str:
    members = ",".join(f'"n{place}":{number}' for place, number in enumerate(given))
    return f'{{"list":[{",".join(given)}],{members}}}'


def test_it_is_json() -> None:
    assert json.loads(_text(["1", "2.5"])) == {"list": [1, 2.5], "n0": 1, "n1": 2.5}
