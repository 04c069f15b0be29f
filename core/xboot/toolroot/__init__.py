"""The toolroot: locked compilers in a folder of their own, run with nothing of the host beside them; so every host makes the same bytes.

`tools(cache, "locked", ALL)` gives what a backend builds with; `"host"` gives this machine's own compilers, by the same interface.
docs/toolroot.md says how a toolroot is made, checked and entered.
"""

from xboot.toolroot.enter import command_in, way_in
from xboot.toolroot.tools import ALL, BUILD, DEBIAN_BUILDS, TCC, TOOLCHAIN, WALLS, HostTools, LockedTools, Tools, tools
from xboot.toolroot.tree import Tree, make_tree, tree_digest

__all__ = [
    "ALL",
    "BUILD",
    "DEBIAN_BUILDS",
    "TCC",
    "TOOLCHAIN",
    "WALLS",
    "HostTools",
    "LockedTools",
    "Tools",
    "Tree",
    "command_in",
    "make_tree",
    "tools",
    "tree_digest",
    "way_in",
]
