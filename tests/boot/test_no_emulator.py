"""The boot stage and the contract of machines know no emulator: what QEMU needs is in its plugin."""

from __future__ import annotations

import re
from pathlib import Path

import xboot
import xboot.machine

CORE = Path(xboot.machine.__file__).parent


def test_the_boot_stage_names_no_emulator() -> None:
    files = [CORE / "machine.py", *sorted((CORE / "boot").glob("*.py"))]
    assert len(files) > 5
    named = {file.name: re.findall("(?i)qemu|qmp|bochs|/dev/kvm", file.read_text()) for file in files}
    assert {name: words for name, words in named.items() if words} == {}


def test_the_core_imports_nothing_of_qemu() -> None:
    imports = [
        line for file in CORE.rglob("*.py") for line in file.read_text().splitlines() if re.match(r"\s*(from|import) (qemu|xboot_)", line)
    ]
    assert imports == []
