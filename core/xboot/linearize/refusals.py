"""Derivations that are valid but that xboot does not build, each with its reason (docs/refusals.md)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xboot.errors import RefusedError
from xboot.linearize.attributes import is_true, string_list
from xboot.model import Derivation

# Features that change what a builder may do. Others (big-parallel, benchmark, …) only say where a build would rather run.
_FEATURES = {
    "kvm": "builders have no KVM",
    "nixos-test": "builders have no KVM",
    "recursive-nix": "there is no daemon to call from inside a build",
    "uid-range": "builders have one uid",
    "cgroups": "the kernels have none",
}


def check(drv: Derivation, attributes: Mapping[str, Any] | None, store_dir: str) -> None:
    """Raise RefusedError when `drv`, whose structured attributes are `attributes`, cannot become a step."""
    for output in drv.outputs.values():
        if not output.path:
            raise RefusedError(
                f"{drv.path}: output {output.name!r} is floating content-addressed: its path is known only after the build, "
                "and so is every path that follows from it",
                hint="build it with an input-addressed or fixed output",
            )
    if is_true(drv, attributes, "__noChroot"):
        raise RefusedError(f"{drv.path}: __noChroot asks for a build that sees the whole machine, which no guest has")
    if is_true(drv, attributes, "__impure"):
        raise RefusedError(f"{drv.path}: __impure asks for the network, which no guest has")
    for feature in (word.decode(errors="replace") for word in string_list(drv, attributes, "requiredSystemFeatures")):
        if feature in _FEATURES:
            raise RefusedError(f"{drv.path}: requires the system feature {feature!r}: {_FEATURES[feature]}")
    if drv.builder.startswith(b"builtin:"):
        raise RefusedError(f"{drv.path}: {drv.builder.decode(errors='replace')} runs inside the daemon, and xboot has no daemon")
    if b"\0" in drv.builder or not drv.builder.startswith(b"/"):
        raise RefusedError(f"{drv.path}: its builder {drv.builder.decode(errors='replace')!r} is no absolute path")
    if not drv.builder.startswith(store_dir.encode() + b"/"):
        raise RefusedError(
            f"{drv.path}: its builder {drv.builder.decode(errors='replace')!r} is in no store path, and a guest has nothing else",
            hint="nix can be told to show a shell of the machine to builders; name one that is an input",
        )


def may_rebuild(drv: Derivation) -> bool:
    """Whether a fixed-output derivation could be a step: it is no download, which needs a network (it names a `url` or `urls`, or runs in
    the daemon), and its hash is one that the executors check.
    """
    if not drv.is_fixed_output or drv.builder.startswith(b"builtin:") or b"url" in drv.env or b"urls" in drv.env:
        return False
    return next(iter(drv.outputs.values())).hash_algo.removeprefix("r:") == "sha256"


def check_fixed(drv: Derivation) -> None:
    """Raise RefusedError for a fixed-output derivation that would have to be built but whose hash no executor can check."""
    (output,) = drv.outputs.values()
    algorithm = output.hash_algo.removeprefix("r:")
    if algorithm != "sha256":
        raise RefusedError(
            f"{drv.path}: its fixed output is given by {algorithm}, and the executors check SHA-256 only",
            hint="bring its content with `xboot fetch`: then the host checks the hash",
        )
