"""The components of an image as a CycloneDX 1.6 bill of materials, with the property names that Nix tools use (`nix:store_path`)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component as BomComponent
from cyclonedx.model.component import ComponentType
from cyclonedx.output.json import JsonV1Dot6

from xboot.model import BuildTool, Component, Role
from xboot.tcb.build_time import BuildTime, identity

_TYPES = {Role.FIRMWARE: ComponentType.FIRMWARE, Role.KERNEL: ComponentType.OPERATING_SYSTEM, Role.SEED: ComponentType.FILE}


def to_cyclonedx(backend: str, image_sha256: str, components: Sequence[Component], made: BuildTime | None = None) -> str:
    """The bill of materials as JSON text; with `made`, a formulation says what the components were made by."""
    bom = Bom()
    bom.metadata.component = BomComponent(
        name=f"xboot image ({backend})", type=ComponentType.APPLICATION, bom_ref=f"image:{image_sha256}", hashes=_hashes(image_sha256)
    )
    for component in components:
        bom.components.add(_component(component))
    bom.register_dependency(bom.metadata.component, list(bom.components))
    text = str(JsonV1Dot6(bom).output_as_string(indent=2))
    if made is None:
        return text
    values = json.loads(text)  # the library knows no formulation
    values["formulation"] = [_formula(made)]
    return json.dumps(values, indent=2)


def _formula(made: BuildTime) -> dict[str, Any]:
    """The tools as components, and each making as a task: of components of the image, and of tools that were compiled here."""
    tools = made.tools()
    tasks = [_task([_ref(c) for c in one.components], one.tools) for one in made.made]
    tasks += [_task([_tool_ref(tool)], tool.made_by) for tool in tools if tool.made_by]
    workflow = {"bom-ref": "workflow:build", "uid": "build", "name": "making the image", "taskTypes": ["build"], "tasks": tasks}
    return {"bom-ref": "formula:build", "components": [_tool(tool) for tool in tools], "workflows": [workflow]}


def _task(outputs: Sequence[str], by: Sequence[BuildTool]) -> dict[str, Any]:
    name = f"make {', '.join(outputs)}"
    found: dict[str, Any] = {"bom-ref": f"task:{name}", "uid": name, "name": name, "taskTypes": ["build"]}
    if by:
        found["inputs"] = [{"resource": {"ref": _tool_ref(tool)}} for tool in by]
    found["outputs"] = [{"type": "artifact", "resource": {"ref": ref}} for ref in outputs]
    return found


def _tool(tool: BuildTool) -> dict[str, Any]:
    properties = {"xboot:compiled": "elsewhere" if tool.prebuilt else "here"}
    if tool.bytes is not None:
        properties["xboot:bytes"] = str(tool.bytes)
    return {
        "type": "application",
        "bom-ref": _tool_ref(tool),
        "name": tool.name,
        **({"version": tool.version} if tool.version else {}),
        **({"description": tool.origin} if tool.origin else {}),
        **({"hashes": [{"alg": "SHA-256", "content": tool.sha256}]} if tool.sha256 else {}),
        "properties": [{"name": name, "value": value} for name, value in properties.items()],
    }


def _ref(component: Component) -> str:
    return f"{component.role.value}:{component.name}"


def _tool_ref(tool: BuildTool) -> str:
    return ":".join(("tool", *identity(tool)))


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
        bom_ref=_ref(component),
        hashes=_hashes(component.sha256),
        properties=properties,
    )


def _hashes(sha256: str) -> list[HashType]:
    return [HashType(alg=HashAlgorithm.SHA_256, content=sha256)] if sha256 else []
