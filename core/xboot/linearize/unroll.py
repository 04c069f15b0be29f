"""From a closure to a script: what must be built, in which order, with what."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from xboot.errors import InputError
from xboot.hooks import LinearizeOptions
from xboot.linearize import attributes as attrs
from xboot.linearize import refusals
from xboot.linearize.flavour import NIX, Flavour, flavour_of
from xboot.linearize.graphs import GraphPaths
from xboot.linearize.text import script_text
from xboot.model import FIXED_OUTPUT, Closure, Derivation, FixedHash, ReferenceCheck, Script, Source, SourceKind, Step, StepOutput


def linearize(closure: Closure, options: LinearizeOptions) -> Script:
    """The script that builds every output of the closure's roots.

    Order: a derivation after its inputs; among those that could come next, the one with the smallest store path. A
    derivation whose wanted outputs are all at hand (fixed outputs with content, seeds) becomes sources instead of a
    step, and what only it needed is left out; `rebuild_fixed` makes fixed outputs steps all the same, but for downloads.

    Raises InputError for a source that is missing (unless `allow_missing`), RefusedError for what xboot does not build.
    """
    plan = _Plan(closure, options)
    order = plan.order()
    flavour = flavour_of(closure.store_dir)
    outputs = _Outputs(closure.derivations)
    steps: list[Step] = []
    checks: list[ReferenceCheck] = []

    def unrolled() -> Iterator[Step]:
        for number, path in enumerate(order, 1):
            step, rules = _step(number, closure.derivations[path], closure.store_dir, outputs, flavour, graphs)
            steps.append(step)
            checks.extend(rules)
            yield step

    sources, missing = plan.sources()
    results = sorted({output.path for root in closure.roots for output in closure.derivations[root].outputs.values()})
    graphs = GraphPaths(closure.store_dir, closure.derivations, order, sources, missing)
    text = script_text(closure.store_dir, sources, unrolled(), results, sorted(missing))
    if missing and not options.allow_missing:
        first = min(missing)
        raise InputError(
            f"{first}: its content is not at hand, and {missing[first]} needs it ({len(missing)} such sources)",
            hint="`xboot fetch` brings what has a URL; --store DIR names a folder that holds it",
        )
    seeds = sorted(source.path for source in sources if source.kind is SourceKind.SEED)
    return Script(text, sha256(text).hexdigest(), closure.store_dir, sources, steps, results, seeds, checks, plan.at_hand(sources))


@dataclass(slots=True)
class _Plan:
    """Which derivations become steps, and which paths become sources."""

    closure: Closure
    options: LinearizeOptions
    steps: dict[str, list[str]] = field(default_factory=dict)  # step → the steps it waits for
    needed: dict[str, str] = field(default_factory=dict)  # source path → who needs it

    def order(self) -> list[str]:
        self._collect()
        waiting = {path: len(inputs) for path, inputs in self.steps.items()}
        users: defaultdict[str, list[str]] = defaultdict(list)
        for path, inputs in self.steps.items():
            for one in inputs:
                users[one].append(path)
        ready = [path for path, count in waiting.items() if not count]
        heapq.heapify(ready)
        order = []
        while ready:
            path = heapq.heappop(ready)
            order.append(path)
            for user in users.get(path, ()):
                waiting[user] -= 1
                if not waiting[user]:
                    heapq.heappush(ready, user)
        if len(order) != len(self.steps):
            stuck = min(path for path, count in waiting.items() if count)
            raise InputError(f"{stuck}: depends on itself, through its inputs")
        return order

    def _collect(self) -> None:
        """Walk from the roots, stopping at what is at hand."""
        derivations = self.closure.derivations
        sources = self._source_derivations()
        todo = list(dict.fromkeys(self.closure.roots))
        for root in todo:
            if root in sources:
                builder = derivations[root].builder.decode(errors="replace")
                raise InputError(
                    f"{root}: there is nothing to run, a {builder} derivation is a source", hint="name a derivation that uses it"
                )
        steps, need = self.steps, self.needed.setdefault
        while todo:
            path = todo.pop()
            if path in steps:
                continue
            drv = derivations[path]
            inputs = drv.input_drvs
            if sources.isdisjoint(inputs):
                waits = steps[path] = list(inputs)
            else:
                waits = steps[path] = [inner for inner in inputs if inner not in sources]
                for inner in inputs:
                    if inner in sources:
                        outputs = derivations[inner].outputs
                        for name in inputs[inner]:
                            need(outputs[name].path, path)
            for source in drv.input_srcs:
                need(source, path)
            todo += [inner for inner in waits if inner not in steps]
        for path in [path for path in self.closure.sources if path in self.needed]:
            self._need_references(self.closure.sources[path])

    def _source_derivations(self) -> set[str]:
        """Derivations that are not run: those whose wanted outputs are at hand, and those that only a daemon could run.

        What the user asked for by name is built even where its result is known. A derivation is decided upon once, for
        all its users, so that no output is both a source and built.
        """
        at_hand, roots = self.closure.sources, set(self.closure.roots)
        # A trusted content comes with what it refers to as it was.
        kept = set(self.options.seeds).union(*(s.references for s in at_hand.values() if s.kind is SourceKind.SEED))
        candidates: dict[str, set[str]] = {}
        found = set()
        for path, drv in self.closure.derivations.items():
            if drv.builder.startswith(b"builtin:") and drv.is_fixed_output:
                found.add(path)
            elif self.options.rebuild_fixed and refusals.may_rebuild(drv) and kept.isdisjoint(o.path for o in drv.outputs.values()):
                continue
            elif path not in roots and any(output.path in at_hand for output in drv.outputs.values()):
                candidates[path] = set()
        if candidates:
            for drv in self.closure.derivations.values():
                for inner in drv.input_drvs.keys() & candidates.keys():
                    candidates[inner].update(drv.input_drvs[inner])
        for path, wanted in candidates.items():
            outputs = self.closure.derivations[path].outputs
            if all(outputs[name].path in at_hand for name in wanted):
                found.add(path)
        return found

    def at_hand(self, sources: Sequence[Source]) -> dict[str, str]:
        """Those of `sources` that a step could have made: path → derivation. What the user named as a seed is no surprise."""
        there = {source.path for source in sources}.difference(self.options.seeds)
        drvs = self.closure.derivations.values()
        made = {o.path: drv for drv in drvs for o in drv.outputs.values() if o.path in there and refusals.may_rebuild(drv)}
        return {s.path: made[s.path].path for s in sources if s.path in made}

    def _need_references(self, source: Source) -> None:
        todo = [source]
        while todo:
            one = todo.pop()
            for reference in one.references:
                if reference not in self.needed:
                    self.needed[reference] = one.path
                    if reference in self.closure.sources:
                        todo.append(self.closure.sources[reference])

    def sources(self) -> tuple[list[Source], dict[str, str]]:
        """The sources of the script in the order of their paths, and what is missing: path → who needs it."""
        found = [self.closure.sources[path] for path in sorted(self.needed) if path in self.closure.sources]
        missing = {path: user for path, user in self.needed.items() if path not in self.closure.sources}
        return found, missing


class _Outputs:
    """The outputs of a graph, found quickly: most derivations have one."""

    def __init__(self, derivations: Mapping[str, Derivation]) -> None:
        self._derivations = derivations
        self._only = {path: next(iter(drv.outputs.values())).path if len(drv.outputs) == 1 else "" for path, drv in derivations.items()}

    def used(self, uses: Mapping[str, Sequence[str]]) -> set[str]:
        """The paths of the outputs that are used, given as derivation → names."""
        found = set(map(self._only.__getitem__, uses))
        if "" in found:
            found.remove("")
            found.update([self._derivations[path].outputs[name].path for path in uses if not self._only[path] for name in uses[path]])
        return found


def _step(
    number: int, drv: Derivation, store_dir: str, outputs: _Outputs, flavour: Flavour, graphs: GraphPaths
) -> tuple[Step, list[ReferenceCheck]]:
    structured = attrs.structured(drv)
    refusals.check(drv, structured, store_dir)
    fixed = _fixed(drv)
    cwd = flavour.build_directory(drv)
    rewrite = attrs.Rewriter(drv)
    inputs = outputs.used(drv.input_drvs).union(drv.input_srcs)
    if structured is None:
        own, files = attrs.plain_environment(drv, cwd, rewrite)
    else:
        own, files = attrs.structured_environment(drv, structured, cwd, rewrite)
    impure = attrs.string_list(drv, structured, "impureEnvVars") if fixed else ()
    env = flavour.environment(store_dir, own, cwd, fixed=fixed is not None, impure=impure)
    argv = [drv.builder.rsplit(b"/", 1)[-1], *map(rewrite, drv.args)]
    _check_passable(drv, argv, env, nul=rewrite.nul)
    step = Step(
        number=number,
        drv=drv.path,
        system=drv.system,
        builder=drv.builder,
        argv=argv,
        env=sorted(env.items()),
        cwd=cwd,
        files=[*flavour.files, *files],
        graphs=attrs.graphs(drv, structured, cwd, rewrite, lambda word: graphs.resolve(drv, inputs, word)),
        inputs=sorted(inputs),
        outputs=[StepOutput(name, output.path, fixed) for name, output in drv.outputs.items()],
    )
    checks = list(attrs.reference_checks(drv, number, structured))
    if fixed and flavour is NIX:
        checks.append(ReferenceCheck(number, "", FIXED_OUTPUT, ()))
    return step, checks


def _fixed(drv: Derivation) -> FixedHash | None:
    if not drv.is_fixed_output:
        return None
    refusals.check_fixed(drv)
    (output,) = drv.outputs.values()
    return FixedHash("recursive" if output.hash_algo.startswith("r:") else "flat", output.hash.lower())


def _check_passable(drv: Derivation, argv: Sequence[bytes], env: Mapping[bytes, bytes], *, nul: bool) -> None:
    """A process gets its arguments and environment as strings that end with NUL, and names that end with `=`. `nul`: there may be a NUL
    in an argument or value.
    """
    names = b"\n".join(env)
    if nul or b"=" in names or b"\0" in names or b"" in env:
        for name, value in env.items():
            if not name or b"=" in name or b"\0" in name + value:
                raise InputError(f"{drv.path}: the environment variable {name[:40]!r} cannot be passed to a process")
    if nul and any(b"\0" in word for word in argv):
        raise InputError(f"{drv.path}: an argument with a NUL byte cannot be passed to a process")
