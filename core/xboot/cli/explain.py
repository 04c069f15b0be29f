"""The verbs that explain a plan to people: `explain`, `why-depends`, `seeds`, `diff`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from xboot.attest.reports import ReportedRun, check_reports
from xboot.cli.shown import shown_pipeline
from xboot.errors import UsageError
from xboot.explain import Change, Content, Difference, Graph, Kind, Node, Seed, changes, seeds
from xboot.foreign import printable
from xboot.model import Script, SourceKind, Step
from xboot.request import Request
from xboot.show.report import sri, to_json
from xboot.words import counted, of_all

_KINDS = {
    SourceKind.NAR: "its path follows from its content",
    SourceKind.TEXT: "a text; its path follows from its content",
    SourceKind.FIXED: "the result of a derivation that fixes its hash; the content at hand has it",
    SourceKind.SEED: "trusted as it is, by the user's word",
    SourceKind.BUILT: "built in an earlier boot",
}
_MANY = 12  # names in one line


def _script(request: Request, console: Console) -> Script:
    with shown_pipeline(console) as pipeline:
        return pipeline.plan(request)


# ---------------------------------------------------------------- seeds


def show_seeds(request: Request, out: Console, err: Console, *, every: bool, as_json: bool) -> None:
    """Every binary that the graph starts from, with its size, its origin, and how many steps are made from it."""
    graph = Graph(_script(request, err))
    found = seeds(graph)
    if as_json:
        print(to_json({"scriptSha256": graph.script.sha256, "seeds": [_seed_json(seed) for seed in found]}))
        return
    total = len(graph.script.steps)
    for seed in found:
        if every or seed.source is None or seed.count(Content.PROGRAM, Content.ARCHIVE, Content.DATA).files:
            for line in _seed_lines(seed, total):
                _say(out, line)
    for line in _headline(found):
        _say(out, line)


def _seed_lines(seed: Seed, total: int) -> Iterator[str]:
    if seed.source is None:
        yield f"{seed.path}: not at hand; needed by {of_all(len(seed.upon), total, 'step')}"
        return
    held = ", ".join(
        f"{counted(count.size, 'byte')} in {counted(count.files, 'file')} of {content.value}"
        for content in Content
        if (count := seed.count(content)).files
    )
    yield f"{seed.path}"
    yield f"    {held or 'no bytes'}; {_KINDS[seed.source.kind]}; needed by {of_all(len(seed.upon), total, 'step')}"
    for place, size in seed.programs[:_MANY]:
        yield f"    program {printable(place, 200) or '(the path itself)'}, {counted(size, 'byte')}"
    if len(seed.programs) > _MANY:
        yield f"    … and {len(seed.programs) - _MANY} smaller ones"


def _headline(found: Sequence[Seed]) -> Iterator[str]:
    """What everything grows from, in three lines, with what was not looked into."""
    count = {content: [seed.count(content) for seed in found] for content in Content}
    whole = {content: (sum(one.files for one in counts), sum(one.size for one in counts)) for content, counts in count.items()}
    files, size = whole[Content.PROGRAM]
    yield f"{counted(size, 'byte')} of programs in {counted(files, 'file')} that must be believed as they are"
    packed, opaque, text = whole[Content.ARCHIVE], whole[Content.DATA], whole[Content.TEXT]
    if packed[0] or opaque[0]:
        archives = f"{counted(packed[1], 'byte')} in {counted(packed[0], 'file')} of archive, not looked into"
        yield f"{archives}; {counted(opaque[1], 'byte')} in {counted(opaque[0], 'file')} of other data"
    yield f"{counted(text[1], 'byte')} of text in {counted(text[0], 'file')} that somebody can read"
    away = sum(seed.source is None for seed in found)
    if away:
        yield f"{counted(away, 'source')} not at hand, so this is not the whole: `xboot fetch` brings what has a URL"


def _seed_json(seed: Seed) -> dict[str, Any]:
    source = seed.source
    return {
        "path": seed.path,
        "kind": None if source is None else source.kind.value,
        "narHash": None if source is None else sri(source.nar_sha256),
        "narSize": None if source is None else source.nar_size,
        "holds": {content.value: {"files": count.files, "bytes": count.size} for content, count in seed.holds.items()},
        "programs": [{"file": place, "bytes": size} for place, size in seed.programs],
        "steps": list(seed.upon),
    }


# ---------------------------------------------------------------- explain


def explain(request: Request, what: str | None, reports: Sequence[Path], out: Console, err: Console, *, as_json: bool) -> None:
    """One step or source: what it is, who needs it, what it sees, what it grows from, and what reports say came out.

    Raises UsageError for what is not in the plan, InputError for a report that does not hold together or is of another plan.
    """
    graph = Graph(_script(request, err))
    node = graph.find(what) if what is not None else _last(graph)
    runs = [run for path in reports for run in check_reports(path, graph.script)]
    if as_json:
        print(to_json(_explained_json(graph, node, runs)))
        return
    lines = _step_lines(graph, graph.step(node), runs) if isinstance(node, int) else _source_lines(graph, node)
    for label, text in lines:
        _say(out, f"{label:<12}{text}")


def _last(graph: Graph) -> Node:
    roots = graph.roots()
    if not roots:
        raise UsageError("the plan has no step to explain")
    return roots[-1]


def _step_lines(graph: Graph, step: Step, runs: Sequence[ReportedRun]) -> Iterator[tuple[str, str]]:
    node = step.number
    yield "step", f"{node} of {len(graph.script.steps)}: {printable(graph.name(node))}"
    yield "derivation", step.drv
    yield "system", step.system
    yield "builder", printable(step.builder)
    yield "arguments", " ".join(printable(repr(word)[2:-1]) for word in step.argv[1:]) or "none"
    for number, (name, value) in enumerate(step.env):
        yield "environment" if not number else "", f"{printable(name)}={printable(value)}"
    for number, output in enumerate(step.outputs):
        fixed = "" if output.fixed is None else f", fixed: {output.fixed.mode} sha256 {output.fixed.sha256}"
        yield "outputs" if not number else "", f"{output.name}  {output.path}{fixed}"
        yield from _said(output.path, runs)
    yield from _listed("sees", graph, graph.needs(node))
    yield from _neighbours(graph, node)
    found = seeds(graph, graph.behind(node))
    for number, line in enumerate(_headline(found)):
        yield "grows from" if not number else "", line


def _source_lines(graph: Graph, path: str) -> Iterator[tuple[str, str]]:
    source = graph.source(path)
    yield "source", path
    if source is None:
        yield "content", "not at hand; `xboot fetch` brings it if a derivation names a URL"
    else:
        yield "kind", _KINDS[source.kind]
        yield "content", f"{counted(source.nar_size, 'byte')} as a NAR, {sri(source.nar_sha256)}"
        for number, line in enumerate(_headline(seeds(graph, [path]))):
            yield "holds" if not number else "", line
        yield from _listed("refers to", graph, graph.needs(path))
    yield from _neighbours(graph, path)


def _neighbours(graph: Graph, node: Node) -> Iterator[tuple[str, str]]:
    behind, upon = graph.behind(node), graph.upon(node)
    yield "behind it", f"{_number(behind, int, 'step')}, {_number(behind, str, 'source')}"
    yield from _listed("needed by", graph, graph.users(node), none="nothing: it was asked for" if node in graph.roots() else "nothing")
    yield "upon it", f"{_number(upon, int, 'step')}, {_number(upon, str, 'source')}"


def _listed(label: str, graph: Graph, nodes: Sequence[Node], none: str = "nothing") -> Iterator[tuple[str, str]]:
    if not nodes:
        yield label, none
    for number, node in enumerate(nodes):
        yield label if not number else "", _node_text(graph, node)


def _node_text(graph: Graph, node: Node) -> str:
    if isinstance(node, int):
        return f"step {node}  {printable(graph.name(node))}"
    source = graph.source(node)
    return f"{node}" + ("  (not at hand)" if source is None else f"  ({source.kind.value}, {counted(source.nar_size, 'byte')})")


def _said(path: str, runs: Sequence[ReportedRun]) -> Iterator[tuple[str, str]]:
    """What each report says of one output, agreeing voters in one line."""
    voters: dict[str, list[str]] = {}
    for run in runs:
        for output in run.outputs:
            if output.path == path and output.nar_sha256:
                voters.setdefault(output.nar_sha256, []).append(str(run.voter))
    for sha256, names in voters.items():
        yield "", f"    {sri(sha256)}  {', '.join(names)}"
    if len(voters) > 1:
        yield "", "    they do not agree"


def _explained_json(graph: Graph, node: Node, runs: Sequence[ReportedRun]) -> dict[str, Any]:
    behind, upon = graph.behind(node), graph.upon(node)
    links = {
        "needs": [_node_json(graph, one) for one in graph.needs(node)],
        "neededBy": [_node_json(graph, one) for one in graph.users(node)],
        "stepsBehind": sorted(one for one in behind if isinstance(one, int)),
        "stepsUpon": sorted(one for one in upon if isinstance(one, int)),
        "seeds": [_seed_json(seed) for seed in seeds(graph, [*behind, node])],
    }
    if isinstance(node, str):
        return {"scriptSha256": graph.script.sha256, "source": node, **links}
    step = graph.step(node)
    said = {
        output.path: {str(run.voter): one.nar_sha256 or None for run in runs for one in run.outputs if one.path == output.path}
        for output in step.outputs
    }
    return {
        "scriptSha256": graph.script.sha256,
        "step": node,
        "drv": step.drv,
        "system": step.system,
        "builder": _text(step.builder),
        "arguments": [_text(word) for word in step.argv[1:]],
        "environment": {_text(name): _text(value) for name, value in step.env},
        "outputs": [{"name": output.name, "path": output.path, "narSha256": said[output.path]} for output in step.outputs],
        **links,
    }


def _node_json(graph: Graph, node: Node) -> dict[str, Any]:
    return {"step": node, "drv": graph.step(node).drv} if isinstance(node, int) else {"source": node}


# ---------------------------------------------------------------- why-depends


def why_depends(request: Request, what: str, out: Console, err: Console, *, as_json: bool) -> None:
    """A shortest chain from what was asked for down to a step or source. Raises UsageError for what is not in the plan."""
    graph = Graph(_script(request, err))
    node = graph.find(what)
    chains = [way for root in graph.roots() if (way := graph.chain(root, node))]
    way = min(chains, key=len, default=[node])
    if as_json:
        print(to_json({"scriptSha256": graph.script.sha256, "chain": [_node_json(graph, one) for one in way]}))
        return
    for depth, one in enumerate(way):
        _say(out, f"{'    ' * depth}{'needs ' if depth else ''}{_node_text(graph, one)}")


# ---------------------------------------------------------------- diff


def diff(first: Request, second: Request, out: Console, err: Console, *, as_json: bool) -> int:
    """What changed from the one plan to the other, by step; 0 if nothing did, else 1, as `diff` has it."""
    one, two = Graph(_script(first, err)), Graph(_script(second, err))
    found = changes(one, two)
    if as_json:
        rows = [_change_json(one, two, change) for change in found if change.kind is not Kind.SAME]
        print(to_json({"before": one.script.sha256, "after": two.script.sha256, "changes": rows}))
    else:
        for change in found:
            for line in _change_lines(one, two, change):
                _say(out, line)
        counts = ", ".join(f"{sum(change.kind is kind for change in found)} {kind.value}" for kind in Kind)
        _say(out, f"{counts}; script sha256 {one.script.sha256} and {two.script.sha256}")
    return int(any(change.kind is not Kind.SAME for change in found))


def _change_lines(one: Graph, two: Graph, change: Change) -> Iterator[str]:
    """A line for what changed, and below it why; nothing for what is the same."""
    before, after = change.before, change.after
    name = printable(change.name)
    match change.kind:
        case Kind.SAME:
            return
        case Kind.FOLLOWS:
            yield f"follows  step {after}  {name}: only what it is made from changed"
        case Kind.ADDED | Kind.REMOVED:
            graph, node = (two, after) if before is None else (one, before)
            yield f"{change.kind.value:<8} {_node_text(graph, node)}" if node is not None else ""
        case Kind.CHANGED if isinstance(after, str):
            yield f"changed  {name}: {before}, now {after}"
        case Kind.CHANGED:
            yield f"changed  step {after}  {name}"
            for difference in change.differences:
                yield from _difference_lines(difference)


def _difference_lines(difference: Difference) -> Iterator[str]:
    """The lines that only one of the two values has; a value of one line whole."""
    yield f"    {printable(difference.what, 200)}"
    for sign, lines in (("-", difference.gone), ("+", difference.new)):
        for line in lines[:_MANY]:
            yield f"      {sign} {printable(line, 400)}"
        if len(lines) > _MANY:
            yield f"      {sign} … {counted(len(lines) - _MANY, 'more line')}"
    if not difference.gone and not difference.new:
        yield "      the same lines, in another order or number"


def _change_json(one: Graph, two: Graph, change: Change) -> dict[str, Any]:
    return {
        "kind": change.kind.value,
        "name": change.name,
        "before": None if change.before is None else _node_json(one, change.before),
        "after": None if change.after is None else _node_json(two, change.after),
        "differences": [
            {"what": d.what, "before": None if d.before is None else _text(d.before), "after": None if d.after is None else _text(d.after)}
            for d in change.differences
        ],
    }


# ---------------------------------------------------------------- words


def _say(console: Console, line: str) -> None:
    console.print(line, soft_wrap=True, highlight=False, markup=False, emoji=False)


def _text(data: bytes) -> str:
    return data.decode(errors="backslashreplace")


def _number(nodes: Iterable[Node], kind: type, word: str) -> str:
    return counted(sum(isinstance(node, kind) for node in nodes), word)
