"""What a plan is made of, for people: who needs what, which binaries everything grows from, what changed between two plans."""

from __future__ import annotations

from xboot.explain.changes import Change, Difference, Kind, changes
from xboot.explain.graph import Graph, Node
from xboot.explain.seeds import Content, Seed, seeds

__all__ = ["Change", "Content", "Difference", "Graph", "Kind", "Node", "Seed", "changes", "seeds"]
