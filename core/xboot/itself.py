"""tccboot rebuilds tccboot: what its image is made of, built by builders in guests, against what boots here; and booting what they made.

The recipe (examples/self) has a derivation for each part; docs/self.md says what the image is, and why.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from xboot._records import dataclass
from xboot.boot import run_machine
from xboot.cache import Cache
from xboot.compare import Comparison
from xboot.debian import DebianPackages
from xboot.errors import InputError, UsageError, XbootError
from xboot.guest.own_tcc import obtain_own_tcc
from xboot.model import BootImage, Script, Verdict
from xboot.nar import nar_hash, unpack
from xboot.package import assemble
from xboot.pipeline import Pipeline
from xboot.request import Request
from xboot.storepath import short_name

__all__ = ["BACKEND", "IMAGE", "PARTS", "Here", "boot_rebuilt", "differing", "make_here", "usual_recipe", "with_expectations"]

BACKEND = "tccboot"
IMAGE, HELLO, COMPILER = "image", "hello", "tcc"
"""Derivations of the recipe: all files of an image that runs hello; hello; what compiles the parts."""
PARTS: Mapping[str, str] = {COMPILER: "", "executor": "", "loader": "loader", "kernel": "kernel", "archive": "payload", IMAGE: ""}
"""The derivation of each part and of what compiles it, in the order in which they are made; and the file of the image that it is."""
ORIGIN = "this image"


@dataclass(frozen=True, slots=True)
class Here:
    """What this machine boots: hello's image on tccboot, whose files are there as long as the folder that it was made in. `parts`: name of
    the part → NAR SHA-256 in hex.
    """

    script: Script
    image: BootImage
    parts: Mapping[str, str]


def usual_recipe() -> Path:
    """The recipe in xboot's source tree. Raises UsageError when xboot does not run from one."""
    recipe = Path(__file__).parents[2] / "examples" / "self" / "recipe.toml"
    if not recipe.is_file():
        raise UsageError(
            "the recipe that rebuilds the image is not here: xboot was installed without its source tree",
            hint="name it: examples/self/recipe.toml in a source tree of this very version",
        )
    return recipe


def make_here(pipeline: Pipeline, request: Request, recipe: str, folder: Path) -> Here:
    """Make the image of the recipe's hello as `run` would, in `folder`, from this machine's own sources and by its own compiler."""
    wished = replace(request, targets=[f"{recipe}:{HELLO}"])
    script = pipeline.plan(wished)
    _, options = pipeline.options(wished)
    options = replace(options, spare=options.spare or 1)
    artifacts = pipeline.prepare(BACKEND, script, options)
    image = pipeline.package(BACKEND, script, artifacts, options, folder)
    whole = folder / "parts" / IMAGE
    whole.mkdir(parents=True)
    compiler = obtain_own_tcc(DebianPackages(Cache()), options.settings.get("toolchain", "locked")).program
    files = {COMPILER: compiler} if compiler is not None else {}
    files |= {"executor": artifacts["executor"].path} | {part: image.files[file] for part, file in PARTS.items() if file}
    for part, path in files.items():
        _copy(path, whole.parent / part, program=part == COMPILER)
    for name, path in image.files.items():
        _copy(path, whole / name)
    return Here(script, image, {part: nar_hash(whole.parent / part).sha256 for part in PARTS if part in files or part == IMAGE})


def _copy(path: Path, to: Path, *, program: bool = False) -> None:
    """The content alone: of the recipe's parts, only the compiler is executable."""
    shutil.copyfile(path, to)
    to.chmod(0o755 if program else 0o644)


def with_expectations(request: Request, script: Script, here: Here) -> Request:
    """The same request, expecting of each part that it is the one of this machine. Raises InputError for a script that does not build them
    all.
    """
    paths = {short_name(output.path): output.path for step in script.steps for output in step.outputs}
    missing = [name for name in (*PARTS, HELLO) if name not in paths]
    if missing:
        raise InputError(
            f"{', '.join(request.targets)}: builds no {missing[0]!r}", hint="take examples/self/recipe.toml, or a changed copy"
        )
    expected = {**request.run.expected, **{paths[part]: {ORIGIN: sha256} for part, sha256 in here.parts.items()}}
    return replace(request, run=replace(request.run, expected=expected))


def differing(comparison: Comparison, here: Here) -> dict[str, tuple[str, str]]:
    """The parts that were made and are not those of this machine: name → what this machine has, and what was made first, in hex."""
    made = {short_name(output.path): output.hashes for output in comparison.outputs}
    found = {}
    for part, sha256 in here.parts.items():
        others = [value for value in made.get(part, {}).values() if value != sha256]
        if others:
            found[part] = (sha256, others[0])
    return found


def boot_rebuilt(pipeline: Pipeline, request: Request, here: Here, nar: Path, folder: Path) -> Verdict:
    """Boot what a guest made, a NAR of the image's files, on the machine of the request's voter, and run hello. Raises XbootError when it
    is not the image of this machine after all.
    """
    made = folder / "rebuilt"
    with nar.open("rb") as stream:
        unpack(stream, made)
    files = {name: made / name for name in here.image.files}
    image = assemble(BACKEND, here.script, files, here.image.regions, here.image.artifacts)
    if image.sha256 != here.image.sha256:
        raise XbootError(f"{nar.name}: is an image of SHA-256 {image.sha256}, and its hash promised {here.image.sha256}")
    voter, options = pipeline.options(request)
    boot = pipeline.boot(BACKEND, image, replace(options, spare=options.spare or 1))
    machine = pipeline.plugins.machine(voter.machine, voter.address)
    pipeline.stage("boot", f"the rebuilt image: {HELLO}, {boot.memory} MiB")
    return run_machine(image, boot, machine, replace(request.run, export=None, address=voter.address), pipeline.notify)
