"""The boots that an attestation names, held against the plan: is each script the one that follows from it and from what was built before?

A signer says of each boot the SHA-256 of its script, and of each output its hash and what it refers to. The rest is computed here, as for a
report (`xboot.segments.check`): so nobody can sign for sealed steps whose inputs are not the outputs that they sign for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from xboot.errors import InputError
from xboot.foreign import printable
from xboot.model import Script, Source, SourceKind
from xboot.segments.cut import Segment, segment_script
from xboot.segments.divergence import Content
from xboot.segments.format import Material

__all__ = ["check_boots", "replay_boots"]


def check_boots(boots: Sequence[Material], steps: int, seal: str, where: str) -> None:
    """What can be said of boots without the plan: they are its `steps` steps, each once and in order, each of an image of its own, and
    sealed as it is said. Raises InputError, which names `where`.
    """
    ends = [0, *(boot.last for boot in boots)]
    if boots and (ends[-1] != steps or any(b.first != end + 1 or b.last < b.first for b, end in zip(boots, ends, strict=False))):
        _refuse(where, f"its boots are not of the steps 1 to {steps}, each once and in order")
    if len({boot.image_sha256 for boot in boots}) < len(boots):
        _refuse(where, "two boots are of one image, which holds one script")
    alone = bool(boots) and all(boot.first == boot.last for boot in boots)
    if (seal == "steps") != alone:
        _refuse(where, f"says that it is sealed by {seal!r}, which its boots contradict")


def replay_boots(plan: Script, boots: Sequence[Material], outputs: Mapping[str, Content], where: str) -> None:
    """Follow the chain from the plan's sources through all boots, which `check_boots` has let through. `outputs`: store path → what the
    signer says of it. Raises InputError, which names `where`, for a chain that does not close.
    """
    built: dict[str, Source] = {}
    for number, boot in enumerate(boots, 1):
        script = segment_script(plan, Segment(number, boot.first, boot.last), built)
        name = f"the boot of steps {boot.first} to {boot.last}"
        if script.sha256 != boot.script_sha256:
            _refuse(
                where, f"{name} ran the script {boot.script_sha256[:16]}…; the plan and what was built before it give {script.sha256[:16]}…"
            )
        made = [output for step in script.steps for output in step.outputs]
        seen = {source.path for source in script.sources} | {output.path for output in made}
        for output in made:
            content = outputs[output.path]
            if list(content.references) != sorted(set(content.references)) or not seen.issuperset(content.references):
                _refuse(where, f"{name}: {output.path} refers to what its step could not see, or lists a path twice or in disorder")
            fixed = output.fixed
            if fixed is not None and fixed.mode == "recursive" and fixed.sha256 != content.sha256:
                _refuse(where, f"{name}: {output.path} has not the hash that its derivation fixes")
            built[output.path] = Source(
                output.path, SourceKind.BUILT, Path(), content.sha256, content.size, tuple(content.references)
            )  # fmt: skip


def _refuse(where: str, why: str) -> NoReturn:
    raise InputError(f"{where}: {printable(why)}")
