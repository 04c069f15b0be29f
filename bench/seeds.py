"""A target behind 190 MB of seeds: trees that derivations of its graph make, and that the user trusts as they are.

The trees are like real ones: of a compiler, say, with static libraries, programs and texts, which mention one another's paths here and
there. The same arguments give the same trees to the byte.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

from bench.graph import Maker
from xboot.storepath import store_name

_WORDS = b"the a of static const int char return function section value 0x7f lib1a2b3c getenv strlen".split()


@dataclass(frozen=True, slots=True)
class Seeds:
    """What was made: `folder` is the root of a store of its own, `root` the derivation that uses all `seeds`, store paths."""

    folder: Path
    root: str
    seeds: tuple[str, ...]


def make_seeds(folder: Path, size: int = 190_000_000, trees: int = 6, files: int = 500, seed: int = 1) -> Seeds:
    """Write a graph of `trees` derivations, their outputs of `size` bytes in all, and one derivation that uses them, below
    `folder`/nix/store, which must not exist.
    """
    maker = Maker(folder, seed)
    builder = maker.source("builder.sh", "set -eu\n")
    tools = [maker.package("tool-0", [maker.fetch("tool-source", [builder])], [builder], ["out"])]
    for number in range(1, trees):
        tools.append(maker.package(f"tool-{number}", tools[-1:], [builder], ["out"]))
    root = maker.package("uses-them", tools, [builder], ["out"])
    seeds = tuple(tool.outputs["out"].path for tool in tools)
    for at, path in enumerate(seeds):
        fill_tree(maker.store / store_name(path), maker.random, [*seeds[max(0, at - 2) : at], path], size // trees, files)
    return Seeds(folder, root.path, seeds)


def make_trees(folder: Path, size: int = 190_000_000, trees: int = 6, files: int = 500, seed: int = 1) -> list[Path]:
    """The same trees as folders below `folder`, which must not exist, for a recipe to take as sources: what is checked and unpacked before
    a boot's first builder is the same for sources and seeds.
    """
    chance = random.Random(seed)
    made = [folder / f"tool-{number}" for number in range(trees)]
    for tree in made:
        fill_tree(tree, chance, [str(tree)], size // trees, files)
    return made


def fill_tree(tree: Path, chance: random.Random, mentioned: list[str], size: int, files: int) -> None:
    """A tree of `files` files with `size` bytes: half of it bytes by chance, half words, a path of `mentioned` in every file."""
    for number in range(files):
        place = tree / f"lib{number % 20}" / f"file-{number}"
        place.parent.mkdir(parents=True, exist_ok=True)
        half = size // files // 2
        words = b" ".join(chance.choices(_WORDS, k=2000))
        text = (words * (half // len(words) + 1))[:half]
        place.write_bytes(chance.randbytes(half) + chance.choice(mentioned).encode() + b"/bin/x\0" + text)
