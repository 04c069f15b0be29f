"""From an image and what was prepared for it to components: every byte is somebody's."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from xboot.errors import BackendError
from xboot.model import Artifact, BootImage, Component, Role, Source
from xboot.tcb.counted import SourceFile
from xboot.tcb.lines import by_language, count_files


def image_components(image: BootImage, sources: Mapping[str, Mapping[str, SourceFile]] | None = None) -> list[Component]:
    """One component for each owner in `image.regions`, in the order of first appearance.

    `sources` gives the compiled files of an artifact that were counted before (name of artifact → file → count);
    those of the others are counted now. The sum of `bytes` over all components is the size of the image's files.
    Raises BackendError for an owner that is neither an artifact, a source of the script, the script, nor framing.
    """
    sizes: dict[str, int] = {}
    for region in image.regions:
        sizes[region.component] = sizes.get(region.component, 0) + region.size
    stores = {f"source:{source.path.rsplit('/', 1)[1]}": source for source in image.script.sources}
    found = []
    for name, size in sizes.items():
        if name in image.artifacts:
            found.append(artifact_component(image.artifacts[name], size, (sources or {}).get(name)))
        elif name in stores:
            found.append(_source(name, stores[name], size))
        elif name == "script":
            found.append(Component(name, Role.SCRIPT, size, image.script.sha256, origin="made by xboot from the derivations"))
        elif name == "archive framing":
            found.append(Component(name, Role.PADDING, size, "", origin="folders, devices and trailer of the payload"))
        else:
            raise BackendError(f"backend {image.backend}: {size} bytes of the image belong to {name!r}, which is no component")
    return found


def artifact_component(artifact: Artifact, size: int, counted: Mapping[str, SourceFile] | None = None) -> Component:
    """`size` bytes of an artifact as a component; its lines are counted, unless they were before (`counted`: file → count)."""
    if counted is None:
        counted = {path.name: file for path, file in count_files(artifact.source_files).items()}
    return Component(
        artifact.name, artifact.role, size, artifact.sha256, artifact.origin, artifact.version,
        languages=by_language(counted.values()),
        lines=sum(file.lines for file in counted.values()) if counted else None,
        lines_method=artifact.lines_method if counted else "opaque",
        source_hashes={name: file.sha256 for name, file in counted.items()},
        source_lines={file.sha256: file.lines for file in counted.values()},
        built_with=artifact.built_with,
        made_by=artifact.made_by,
        prebuilt=artifact.prebuilt or (not counted and artifact.role is not Role.PADDING),
    )  # fmt: skip


def _source(name: str, source: Source, size: int) -> Component:
    return Component(
        name, Role.SEED, size, source.nar_sha256, origin=f"{source.path} ({source.kind.value})", lines_method="opaque", prebuilt=True
    )


def digest(components: list[Component], drift: str = "") -> str:
    """SHA-256 over what was measured: two builds that make you trust the same things give the same digest. `drift` names what is not of the
    locked base.
    """
    lines = sorted(f"{c.role.value}\t{c.name}\t{c.bytes}\t{c.sha256}\t{c.lines}\n" for c in components)
    if drift:
        lines.append(f"base\t{drift}\n")
    return hashlib.sha256("".join(lines).encode()).hexdigest()
