"""The verbs `plan` and `show`: derivations and the linear build, as text."""

from __future__ import annotations

from contextlib import nullcontext

from rich.console import Console

from xboot import linearize, parse
from xboot.cli.shown import shown_pipeline
from xboot.errors import UsageError
from xboot.guest.scheme import guile_script
from xboot.request import Request
from xboot.segments.cut import cut_plan, expected_memory, expected_seconds, expected_size, known_before, seen_sources, waits_for
from xboot.segments.earlier import limits_by_results, stored_cut
from xboot.segments.store import ResultsStore, results_root
from xboot.show.progress import at_hand_sentence
from xboot.show.report import to_json
from xboot.storepath import short_name
from xboot.words import counted


def plan(request: Request, format: str, console: Console) -> bytes:
    """The linear build as text: the script, a table or Graphviz. Missing sources are named on `console`."""
    if format not in ("script", "table", "dot", "guile"):
        raise UsageError(f"--format {format}: expected script, table, dot or guile")
    with shown_pipeline(console) as pipeline:
        closure = pipeline.read(request.targets, request.read)
        script = pipeline.linearize(closure, request.linearize)
    if closure.missing:
        console.print(f"{counted(len(closure.missing), 'source')} missing; `xboot fetch` brings what has a URL", style="yellow")
    note = at_hand_sentence(script)
    if note:
        console.print(note, soft_wrap=True, highlight=False, markup=False)
    if format == "script":
        return script.text
    if format == "guile":
        return guile_script(script).encode()
    return linearize.render(script, format).encode()


def segments(request: Request, how: str, console: Console) -> bytes:
    """The cut of the linear build into boots (docs/segments.md), as a table: what each holds, in bytes, and needs in MiB; how long it may
    take; and how many of the sizes and times that this rests on were found by earlier runs.
    """
    with shown_pipeline(console) as pipeline:
        script = pipeline.plan(request)
    with ResultsStore() if results_root().is_dir() else nullcontext() as store:
        limits = limits_by_results(store, script, request.memory)
        cuts = cut_plan(script, how, limits) if store is None else stored_cut(store, script, how, request.memory, keep=False)
    lines = [
        "segment\tsteps\tsources\tbuilt\tbytes of sources\tbytes of outputs\tMiB\tseconds\tfound by earlier runs\twaits for\tderivations"
    ]
    for segment, waits in zip(cuts, waits_for(script, cuts), strict=True):
        known, built = seen_sources(script, segment)
        size, made = expected_size(script, segment, limits)
        sizes, outputs, times, count = known_before(script, segment, limits)
        steps = f"{segment.first}-{segment.last}" if segment.first != segment.last else str(segment.first)
        names = " ".join(short_name(script.steps[n - 1].drv) for n in segment.steps)
        before = ",".join(map(str, sorted(waits))) or "-"
        expected = f"{expected_memory(size, made)}\t{expected_seconds(segment, limits):.0f}"
        found = f"{sizes} of {outputs} sizes, {times} of {count} times"
        lines.append(f"{segment.number}\t{steps}\t{known}\t{built}\t{size}\t{made}\t{expected}\t{found}\t{before}\t{names}")
    return ("\n".join(lines) + "\n").encode()


def show(request: Request, console: Console, *, recursive: bool, as_json: bool) -> bytes:
    """Verified derivations, in Nix's JSON format or as their own text."""
    with shown_pipeline(console) as pipeline:
        closure = pipeline.read(request.targets, request.read)
    paths = sorted(closure.derivations) if recursive else list(closure.roots)
    derivations = [closure.derivations[path] for path in paths]
    if as_json:
        return (to_json({d.path: parse.derivation_to_json(d) for d in derivations}) + "\n").encode()
    return b"\n".join(parse.write_derivation(d) for d in derivations)  # one alone is its file, to the byte
