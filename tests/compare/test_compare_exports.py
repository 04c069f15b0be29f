"""Two kernels that really differ: both NARs of the diverging output are brought out."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from xboot import nar

HELLO = Path(__file__).parents[2] / "examples" / "hello" / "recipe.toml"


@pytest.mark.boot
def test_the_diverging_output_is_brought_out_of_both(tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.toml"
    lines = ['args = ["-c", "uname -r > $out"]' if line.startswith("args") else line for line in HELLO.read_text().splitlines()]
    recipe.write_text("\n".join(lines) + "\n")
    command = [sys.executable, "-m", "xboot", "compare", "-q", "--voters", "linux,tccboot", "--export", "difference", str(recipe)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert done.returncode == 1, done.stderr
    found = {}
    for name in ("linux", "tccboot"):
        (file,) = (tmp_path / "difference" / name).glob("*.nar")
        assert str(file.relative_to(tmp_path)) in done.stderr
        with file.open("rb") as stream:
            found[name] = b"".join(b"".join(entry.chunks) for entry in nar.read(stream))
    assert found["linux"].strip() and found["tccboot"].strip()
    assert found["linux"] != found["tccboot"]
