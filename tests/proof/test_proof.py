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


QUICK = [name for name, proof in PROVE.PROOFS.items() if proof.quick]


@pytest.mark.parametrize("name", QUICK)
def test_it_holds(name: str) -> None:
    assert PROVE.prove(name, "x86_32") == []


def test_no_proof_that_is_not_quick_lacks_its_figures() -> None:
    said = (Path(__file__).parents[2] / "docs" / "assurance.md").read_text()
    assert [name for name in PROVE.PROOFS if f"| `{name}` |" not in said] == []


FAULTS = {
    "sha256-block.c: overflow": ("sha256", "(u32)p[4 * (i)] << 24", "p[4 * (i)] << 24", "signed overflow"),
    "sha256.c: uninitialised memory": ("sha256", "    s->total = 0;\n", "", "uninitialized"),
    "sha256.c: out-of-bounds read": ("sha256", "(28 - 4 * (i & 7)) & 15", "(28 - 4 * (i & 7)) & 31", "index"),
    "lib.c: overflow": ("entries", "*at += size;", "*at += size << 24;", "signed overflow"),
    "lib.c: uninitialised memory": ("lists", "char *moved = v[i];", "char *moved;", "uninitialized"),
    "lib.c: out-of-bounds read": ("entries", "while (i < size && entry[i]", "while (entry[i]", "out of bounds read"),
    "arena.c: overflow": ("arena", "(long)whole, ", "(long)whole * 2048, ", "signed overflow"),
    "arena.c: uninitialised memory": ("arena", "    mark.piece = arena;\n", "", "uninitialized"),
    "arena.c: out-of-bounds write": ("arena", "size > arena->size - arena->used", "size > arena->size", "out of bounds write"),
    "nar.c: overflow": ("nar-walk", "here->next = next + 1", "here->next = (unsigned)((int)(next + 0x7fffffff) + 1)", "signed overflow"),
    "nar.c: uninitialised memory": ("nar-walk", "    times[1] = times[3] = 0;\n", "", "Assertions"),
    "nar.c: out-of-bounds read": ("nar-walk", "next < here->list.count", "next <= here->list.count", "out of bounds read"),
    "nar.c: out-of-bounds write": ("nar-walk", "target, MAX_PATH)", "target, MAX_PATH + 1)", "index"),
    "script.c: overflow": ("script-inner", "length(s) > MAX_PATH", "(int)length(s) * 2000000 > MAX_PATH", "signed overflow"),
    "script.c: uninitialised memory": ("script-inner", "*s = get_string(), *p = s;", "*s = get_string(), *p;", "uninitialized"),
    "script.c: out-of-bounds read": ("script-inner", "while (*p && *p != '/')", "while (*p != '/')", "out of bounds read"),
    "main.c: overflow": ("main", "st.size > 0x7fffffff", "(int)st.size * 2 > 0x7fffffff", "signed overflow"),
    "main.c: uninitialised memory": ("main", "unsigned long done = 0;", "unsigned long done;", "uninitialized"),
    "main.c: out-of-bounds write": ("main", "text = allocate(*size);", "text = allocate(*size - 1);", "Assertions"),
    "step.c: overflow": ("step-builder", "end >> 8 & 0xff", "end * 0x10000", "signed overflow"),
    "step.c: uninitialised memory": ("step-builder", "status[2], end = 0;", "status[2], end;", "uninitialized"),
    "step.c: out-of-bounds write": ("step-builder", "why, sizeof why - 1)", "why, sizeof why + 1)", "Assertions"),
    "filter.c: out-of-bounds read": ("step-builder", "[0], program}", "[0] + 1, program}", "Assertions"),
    "channel.c: overflow": ("channel-reports", "add_number(current_step)", "add_number((u64)((int)current_step + 1))", "signed overflow"),
    "channel.c: uninitialised memory": ("channel-reports", "u8 byte = (u8)status;", "u8 byte;", "Assertions"),
    "channel.c: out-of-bounds read": ("channel-reports", "digits[c >> 4]", "digits[c]", "index"),
}


@pytest.mark.parametrize(("proof", "old", "new", "said"), FAULTS.values(), ids=FAULTS)
def test_a_planted_fault_makes_it_fail(request: pytest.FixtureRequest, proof: str, old: str, new: str, said: str, tmp_path: Path) -> None:
    planted = shutil.copytree(PROVE.EXECUTOR, tmp_path / "executor")
    name = request.node.callspec.id.partition(":")[0]
    text = (planted / name).read_text()
    assert old in text
    (planted / name).write_text(text.replace(old, new, 1))
    against = PROVE.prove(proof, "x86_32", executor=planted)
    assert any(said in sentence for sentence in against), against
