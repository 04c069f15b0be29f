"""The components of an image as a CycloneDX 1.6 bill of materials, with the property names that Nix tools use (`nix:store_path`)."""

from __future__ import annotations

from collections.abc import Sequence

from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component as BomComponent
from cyclonedx.model.component import ComponentType
from cyclonedx.output.json import JsonV1Dot6

from xboot.model import Component, Role

_TYPES = {Role.FIRMWARE: ComponentType.FIRMWARE, Role.KERNEL: ComponentType.OPERATING_SYSTEM, Role.SEED: ComponentType.FILE}


def to_cyclonedx(backend: str, image_sha256: str, components: Sequence[Component]) -> str:
    """The bill of materials as JSON text."""
    bom = Bom()
    bom.metadata.component = BomComponent(
        name=f"xboot image ({backend})", type=ComponentType.APPLICATION, bom_ref=f"image:{image_sha256}", hashes=_hashes(image_sha256)
    )
    for component in components:
        bom.components.add(_component(component))
    bom.register_dependency(bom.metadata.component, list(bom.components))
    return str(JsonV1Dot6(bom).output_as_string(indent=2))


def _component(component: Component) -> BomComponent:
    properties = [
        Property(name="xboot:role", value=component.role.value),
        Property(name="xboot:bytes", value=str(component.bytes)),
        Property(name="xboot:lines", value="opaque" if component.lines is None else str(component.lines)),
        Property(name="xboot:compiled", value="elsewhere" if component.prebuilt else "here"),
        Property(name="xboot:lines_method", value=component.lines_method or "none"),
        *(Property(name="xboot:built_with", value=tool) for tool in component.built_with),
    ]
    if component.role is Role.SEED:
        properties.append(Property(name="nix:store_path", value=component.origin.split(" ", 1)[0]))
    return BomComponent(
        name=component.name,
        type=_TYPES.get(component.role, ComponentType.APPLICATION),
        version=component.version or None,
        description=component.origin or None,
        bom_ref=f"{component.role.value}:{component.name}",
        hashes=_hashes(component.sha256),
        properties=properties,
    )


def _hashes(sha256: str) -> list[HashType]:
    return [HashType(alg=HashAlgorithm.SHA_256, content=sha256)] if sha256 else []
