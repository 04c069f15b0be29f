"""The examples of docs/api.md, run in their order in one process."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.boot
def test_the_examples_run() -> None:
    examples = re.findall(r"^```python\n(.*?)^```$", (ROOT / "docs" / "api.md").read_text(), re.MULTILINE | re.DOTALL)
    assert len(examples) == 7
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(examples)], cwd=ROOT, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("1 ")
    assert lines[1].endswith(" tccboot/c@qemu")
    assert lines[2] == "agreed ['tccboot', 'mirage']"
    assert [line.split()[0] for line in lines[3:5]] == ["tccboot", "mirage"]
    assert lines[5] == "--set colour: the backend linux has no setting 'colour' linux has kernel, net, bits, toolchain"
