"""`make proof`: Frama-C's Eva on the C executor, on both machines.

A proof is a harness NAME.c in this folder: it calls the executor's functions with every input up to a size that it states. It holds when
Eva raises no alarm (no access out of bounds, nothing uninitialised, no overflow, nothing undefined), leaves no precondition open, and
reaches every statement of the functions that the proof is about: code that the harness does not reach would have no alarms for nothing.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
EXECUTOR = HERE.parents[1] / "core" / "xboot" / "guest" / "executor"
MACHINES = {"x86_32": (), "x86_64": ("-D__x86_64__",)}
"""Frama-C's name of a machine → what the preprocessor is told; x86_32 is the i386 executor."""

_OPTIONS = (
    "-no-warn-pointer-downcast", "-eva", "-eva-no-print", "-eva-no-show-progress", "-eva-ilevel", "256", "-eva-split-limit", "200",
    "-eva-split-return", "full",
    "-eva-interprocedural-splits", "-eva-alloc-builtin", "fresh", "-eva-no-alloc-returns-null", "-metrics", "-metrics-eva-cover",
)  # fmt: skip


_STRINGS = ("-eva-builtin=copy:Frama_C_memcpy,fill:Frama_C_memset,length:Frama_C_strlen",)
"""Eva's own models of what the proof `strings` is about: `contracts.c` says so."""


@dataclass(frozen=True)
class Proof:
    """One harness: what it is linked with, the functions of which every statement must be reached, Eva's effort."""

    functions: Sequence[str]
    slevel: int
    unroll: int
    files: Sequence[str] = ()
    """The executor's files."""
    harness: str = ""
    """The harness's file where it is not NAME.c."""
    includes: str = ""
    """The executor's file that the harness includes, so that it reaches what is static there."""
    around: Sequence[str] = ("memory.c", "fail.c")
    """Files of this folder that stand for what is not proved here."""
    defines: Sequence[str] = ()
    """Sizes of the executor's that the proof makes small, and which part of the harness it is."""
    by_contract: Sequence[str] = ()
    """Functions that another proof is about: here their contract stands for them, its conditions checked at every call."""
    options: Sequence[str] = ()
    quick: bool = True
    """Whether `make test` repeats it, too."""
    unreached: Mapping[str, int] = field(default_factory=dict)
    """Function → statements that cannot be reached: what comes after a call that never returns."""


_KERNEL = ("linux.c", "memory.c", "contracts.c")
_ABOVE = (*_KERNEL, "contracts_above.c", "nothing_mapped.c")


def _channel(part: str, functions: Sequence[str], slevel: int, unroll: int, *by_contract: str, **unreached: int) -> Proof:
    return Proof(
        functions, slevel, unroll, ["lib.c", "sexp.c"], "channel.c", "channel.c", _KERNEL, ["-DLINE=256", f"-DCASE={part}"],
        ["decimal", "write_all", *by_contract], _STRINGS, part == "a_report", unreached,
    )  # fmt: skip


def _nar(part: str, functions: Sequence[str], slevel: int, partition: str, *by_contract: str, **unreached: int) -> Proof:
    return Proof(
        functions, slevel, 0, ["lib.c", "script.c"], "nar.c", "nar.c", (*_ABOVE, "fail.c"),
        ["-DWINDOW=8", "-DMAX_DEPTH=3", f"-DCASE={part}"], by_contract,
        (*_STRINGS, "-eva-partition-value", partition, "-eva-widening-delay", "40", "-eva-auto-loop-unroll", "8",
         "-eva-slevel-function", "hasher_put:200"),
        part != "hashing", unreached,
    )  # fmt: skip


def _script(part: str, functions: Sequence[str], slevel: int, *by_contract: str) -> Proof:
    return Proof(
        functions, slevel, 50, ["lib.c"], "script.c", "script.c", (*_ABOVE, "fail.c"),
        [f"-DCASE={part}", "-DITEMS=4", *(["-DBY_CONTRACT"] if part == "clauses" else [])], ["fail", *by_contract],
        _STRINGS, part == "inner",
    )  # fmt: skip


def _step(part: str, functions: Sequence[str], **unreached: int) -> Proof:
    return Proof(
        functions, 300, 30, ["lib.c", "filter.c"], "step.c", "step.c", _ABOVE, [f"-DCASE={part}"],
        ["fail", "decimal", "equal", "write_all", "say", "remove_tree", "make_parents", "join"], _STRINGS, False, unreached,
    )  # fmt: skip


PROOFS = {
    "arena": Proof(["allocate", "arena_mark", "arena_release"], 100000, 30, ["arena.c", "lib.c"], around=["linux.c", "fail.c"]),
    "sha256": Proof(
        ["sha256_block", "sha256_init", "sha256_update", "sha256_hex", "copy", "fill"], 2000, 140, ["sha256.c", "sha256-block.c", "lib.c"]
    ),
    "strings": Proof(
        ["length", "compare", "equal", "starts_with", "memcpy", "memmove", "memset", "join", "decimal"], 3000, 30, ["lib.c"],
    ),
    "lists": Proof(
        ["grown", "sift", "sort"], 100, 30, includes="lib.c", around=["memory.c", "fail.c", "contracts.c"],
        options=["-eva-builtin=copy:Frama_C_memcpy"],
    ),
    "entries": Proof(["next_name"], 100000, 300, includes="lib.c", defines=["-DLISTING=275"]),
    "folders": Proof(
        ["open_at", "must", "write_all", "say", "read_directory", "empty_into", "remove_tree", "make_parents"], 100000, 70,
        includes="lib.c", around=[*_KERNEL, "fail.c", "nothing_mapped.c"], defines=["-DLISTING=2"],
        by_contract=["next_name", "sort", "decimal"], options=_STRINGS, quick=False,
    ),
    "sexp": Proof(
        ["read_from", "malformed", "space", "next_is", "stands", "next_clause_is", "expect", "open_clause", "expect_end", "hex_digit",
         "escaped_byte", "read_string", "get_bytes", "get_string", "get_hash", "get_number"],
        20000, 140, ["sexp.c", "lib.c"], unreached={"malformed": 1},
    ),
    "channel-run": _channel(
        "a_run_line", ["make_raw", "read_line", "skip", "read_number", "read_run", "channel_open"], 200, 300, "fail",
    ),
    "channel-reports": _channel(
        "a_report",
        ["add_byte", "add", "add_escaped", "add_quoted", "begin_line", "add_string", "add_number", "wipe_line", "end_line", "no_exit",
         "end_machine", "fail", "finish", "report_source", "report_begin", "report_output"],
        5, 140, end_machine=2, fail=1, finish=1,
    ),
    "nar-walk": _nar(
        "a_walk",
        ["refuse", "look", "enter", "next_entry", "settle", "canonicalise", "put_number", "put_padding", "put_string", "put_contents",
         "end_node", "put_node", "nar_write", "hash_file"],
        0, "depth", "fail", "decimal", "join", "equal", "sha256_init", "sha256_update", "sha256_hex", refuse=1,
    ),
    "nar-hash": _nar(
        "hashing", ["is_hash_character", "bucket_of_0", "same_part", "note", "scan", "flush", "hasher_put", "hasher_init"],
        0, "window_fill,window_carry", "sha256_init", "sha256_update",
    ),
    "nar-end": _nar("an_end", ["hasher_finish"], 200, "window_fill,window_carry", "sha256_update", "sha256_hex"),
    "script-paths": _script("paths", ["bucket_of", "find_path", "new_path", "known_path"], 3000, "is_hash_character"),
    "script-inner": _script("inner", ["inner_path"], 3000),
    "script-clauses": _script(
        "clauses",
        ["parse_argv", "parse_env", "parse_files", "parse_outputs", "parse_step", "parse_source", "resolve", "parse_script"],
        5000, "inner_path", "new_path", "known_path", "find_path", "equal", "join",
    ),
    "step-graph": _step("a_graph", ["show", "find_visible", "write_file", "write_graph"]),
    "step-builder": _step(
        "a_builder", ["limit", "try", "raise_loopback", "become_builder", "copy_output", "run_builder", "filter_calls"], become_builder=1,
    ),
    "step-outputs": _step("two_outputs", ["check_fixed", "take_output", "take_outputs"]),
    "step-whole": _step(
        "two_steps", ["move_store", "folder", "device", "make_devices", "make_store", "set_clock", "make_root", "run_step"],
    ),
    "main": Proof(
        ["read_script", "check_sources", "protect_links", "executor_start"], 300, 5, ["lib.c"], includes="main.c",
        around=_ABOVE, options=_STRINGS, quick=False,
        by_contract=["fail", "decimal", "join", "equal", "write_all", "say", "sha256_init", "sha256_update", "sha256_hex"],
        unreached={"executor_start": 1},
    ),
    "channel-export": _channel("an_export", ["hand_over", "export_put", "map_window", "export_output"], 20, 60, "fail"),
}  # fmt: skip


def prove(name: str, machine: str, *, executor: Path = EXECUTOR) -> list[str]:
    """What stands against the proof, one sentence each: nothing when it holds. Needs `frama-c` (Debian: frama-c-base)."""
    proof = PROOFS[name]
    words = [f"-I{executor}", *MACHINES[machine], *proof.defines]
    if proof.includes:
        words.append(f'-DEXECUTOR_FILE="{executor / proof.includes}"')
    files = [executor / file for file in proof.files] + [HERE / file for file in (*proof.around, proof.harness or f"{name}.c")]
    effort = ["-eva-slevel", str(proof.slevel), "-eva-min-loop-unroll", str(proof.unroll), *proof.options]
    if proof.by_contract:
        effort.append(f"-eva-use-spec={','.join(proof.by_contract)}")
    command = [
        "frama-c", "-machdep", machine, f"-cpp-extra-args={shlex.join(words)}", *map(str, files), *_OPTIONS, *effort,
    ]  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:  # Frama-C leaves files behind in its own
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", check=False, env=os.environ | {"TMPDIR": folder}
        )  # fmt: skip
    return [f"{name}, {machine}: {sentence}" for sentence in _against(proof, done.stdout, done.returncode)]


def _against(proof: Proof, text: str, status: int) -> list[str]:
    found = re.search(r"(?m)^  (\d+) alarms? generated by the analysis", text)
    if status or not found:
        return [f"frama-c did not finish (status {status}): {text[-500:]}"]
    alarms = [" ".join(alarm.split()) for alarm in re.findall(r"(?ms)^\[eva:alarm\] (.*?)(?=^\[)", text)]
    unsound = [" ".join(warning.split()) for warning in re.findall(r"(?ms)^\[eva:ensures-false\] (.*?)(?=^\[)", text)]
    against = unsound + alarms or [f"{found[1]} alarms"] if int(found[1]) else []
    for kind in ("Assertions", "Preconditions"):
        counted = re.search(rf"{kind} +\d+ valid +(\d+) unknown +(\d+) invalid", text)
        if counted and (int(counted[1]) or int(counted[2])):
            against.append(f"{kind} that do not hold or are open: {int(counted[1]) + int(counted[2])}")
    reached = {m[1]: (int(m[2]), int(m[3])) for m in re.finditer(r"(?m)^  (\w+): (\d+) stmts out of (\d+)", text)}
    for function in proof.functions:
        there, of = reached.get(function, (0, 1))
        if there != of - proof.unreached.get(function, 0):
            against.append(f"{function}: {there} of {of} statements are reached, {of - proof.unreached.get(function, 0)} expected")
    return against


def _outcome(wanted: tuple[str, str]) -> tuple[list[str], float]:
    started = time.monotonic()
    return prove(*wanted), time.monotonic() - started


def main() -> int:
    wanted = [(name, machine) for name in PROOFS for machine in MACHINES]
    failed = False
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for (name, machine), (against, seconds) in zip(wanted, pool.map(_outcome, wanted), strict=True):
            failed |= bool(against)
            print("\n".join(against or [f"{name}, {machine}: 0 alarms, every statement reached ({seconds:.0f} s)"]), flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
