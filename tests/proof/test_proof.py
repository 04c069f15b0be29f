"""The proofs hold for the i386 executor (`make proof` has both machines), and a fault of each kind makes one fail."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path
from types import ModuleType

import pytest

pytestmark = pytest.mark.compiler


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("executor_proofs", Path(__file__).parent / "prove.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


PROVE = load()


@pytest.mark.parametrize("name", PROVE.PROOFS)
def test_it_holds(name: str) -> None:
    assert PROVE.prove(name, "x86_32") == []


FAULTS = {
    "overflow": ("sha256", "sha256.c", "(u32)p[0] << 24", "p[0] << 24", "signed overflow"),
    "uninitialised memory": ("sha256", "sha256.c", "    s->total = 0;\n", "", "uninitialized"),
    "out-of-bounds read": ("strings", "lib.c", "while (s[n])\n        n++;", "while (s[n + 1])\n        n++;", "out of bounds read"),
}


@pytest.mark.parametrize(("proof", "name", "old", "new", "said"), FAULTS.values(), ids=FAULTS)
def test_a_planted_fault_makes_it_fail(proof: str, name: str, old: str, new: str, said: str, tmp_path: Path) -> None:
    planted = shutil.copytree(PROVE.EXECUTOR, tmp_path / "executor")
    text = (planted / name).read_text()
    assert old in text
    (planted / name).write_text(text.replace(old, new, 1))
    against = PROVE.prove(proof, "x86_32", executor=planted)
    assert any(said in sentence for sentence in against), against
