"""What must be believed of how an image was made: what made each component, what made that, down to what nobody here compiled."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path

from xboot._records import dataclass
from xboot.cache import file_sha256
from xboot.model import BuildTool, Component, Role
from xboot.tcb.lines import count_files

__all__ = ["BuildTime", "Made", "build_time", "identity"]


@dataclass(frozen=True, slots=True)
class Made:
    """Components of an image that were made by the same `tools`; without any, by what is not known here."""

    components: Sequence[Component]
    tools: Sequence[BuildTool]


@dataclass(frozen=True, slots=True)
class BuildTime:
    """How one image was made. What an image consists of is not counted here: sources that are compiled into it, seeds."""

    made: Sequence[Made]

    def tools(self) -> list[BuildTool]:
        """All of them, each once, from the image downwards."""
        found: dict[tuple[str, str, str], BuildTool] = {}
        for tool in _below(tool for made in self.made for tool in made.tools):
            found.setdefault(identity(tool), tool)
        return list(found.values())

    @property
    def opaque(self) -> int:
        """Bytes of what nobody here compiled, as far as they are known: sizes of packages and of programs."""
        return sum(tool.bytes or 0 for tool in self.tools() if tool.prebuilt)

    @property
    def unknown(self) -> Sequence[str]:
        """Names of what must be believed without so much as a hash, and of components of which is not known what made them."""
        tools = [tool.name for tool in self.tools() if tool.prebuilt and not tool.sha256]
        return [*tools, *(f"what made {c.name}" for made in self.made if not made.tools for c in made.components)]

    @property
    def lines(self) -> int:
        """Source lines of the tools that were compiled here."""
        files = dict.fromkeys(path for tool in self.tools() for path in tool.source_files)
        return sum(file.lines for file in count_files(files).values())


def identity(tool: BuildTool) -> tuple[str, str, str]:
    """By what two tools are the same."""
    return tool.name, tool.version, tool.sha256


def build_time(components: Sequence[Component]) -> BuildTime:
    """How these were made. Script, framing and the order in the files are xboot's own work, and its interpreter's.

    Seeds are the derivation's, and what they were made by is not asked.
    """
    groups: dict[tuple[tuple[str, str, str], ...], list[Component]] = {}
    tools: dict[tuple[tuple[str, str, str], ...], Sequence[BuildTool]] = {}
    for component in components:
        if component.role is Role.SEED:
            continue
        by = component.made_by or ((_xboot(),) if component.role in (Role.SCRIPT, Role.PADDING) else ())
        key = tuple(map(identity, by))
        groups.setdefault(key, []).append(component)
        tools[key] = by
    return BuildTime([Made(found, tools[key]) for key, found in groups.items()])


def _below(tools: Iterable[BuildTool]) -> Iterator[BuildTool]:
    for tool in tools:
        yield tool
        yield from _below(tool.made_by)


def _xboot() -> BuildTool:
    """What packs every image. Its interpreter is this machine's."""
    path = Path(sys.executable).resolve()
    python = BuildTool(
        "Python",
        platform.python_version(),
        file_sha256(path),
        path.stat().st_size,
        f"{path} of this machine; its library and its packages are not counted",
    )
    return BuildTool("xboot", version("xboot"), "", None, "packs every image, and starts what compiles", False, (), (python,))
