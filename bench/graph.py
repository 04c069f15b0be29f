"""A synthetic derivation graph of realistic size and shape, all of whose paths are true.

The figures are those of large real graphs (GNOME's in Guix: 5,294 derivations, 10.8 MB): a fifth of the derivations are fixed-output
fetches, the others have some 20 inputs, a fifth of them several outputs, half of them a shell script with line feeds and quotation marks
among their variables. The same arguments give the same graph to the byte.
"""

from __future__ import annotations

import hashlib
import random
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from xboot.model import Derivation, Output
from xboot.nar import nar_hash
from xboot.parse import write_derivation
from xboot.parse.modulo import GraphHasher, text_references
from xboot.storepath import fixed_output_path, make_store_path, output_path_name, store_name, text_path

_STORE = "/nix/store"
_SCRIPT = 'runHook preInstall\nmkdir -p "$out/share"\nfor f in *.conf; do\n\tinstall -m644 "$f" $out/share\ndone\nrunHook postInstall\n'


@dataclass(frozen=True, slots=True)
class Graph:
    """What was made: `folder` is the root of a store of its own, `root` the derivation that needs all others."""

    folder: Path
    root: str
    derivations: int
    edges: int
    size: int
    references: Mapping[str, Sequence[str]]

    def registration(self) -> bytes:
        """All of it in the format that `nix-store --load-db` reads."""
        lines = []
        for path in sorted(self.references):
            info = nar_hash(self.folder / path[1:])
            references = self.references[path]
            lines += [path, info.sha256, str(info.size), "", str(len(references)), *references]
        return "\n".join([*lines, ""]).encode()


class Maker:
    """Writes derivations and what they use into a store folder, and knows all that it wrote."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.store = folder / _STORE[1:]
        self.store.mkdir(parents=True)
        self.random = random.Random(seed)
        self.hasher = GraphHasher()
        self.derivations: list[Derivation] = []
        self.references: dict[str, Sequence[str]] = {}
        self.unused: deque[Derivation] = deque()
        self.size = self.edges = 0

    def write(self, path: str, content: bytes, references: Sequence[str] = ()) -> None:
        (self.store / store_name(path)).write_bytes(content)
        self.references[path] = references

    def source(self, name: str, text: str) -> str:
        path = text_path(name, text.encode(), [], _STORE)
        self.write(path, text.encode())
        return path

    def add(self, name: str, drv: Derivation) -> Derivation:
        """Give `drv`, whose outputs have their paths, its own path, and write it."""
        text = write_derivation(drv)
        references = text_references(drv)
        path = text_path(f"{name}.drv", text, references, _STORE)
        drv = Derivation(path, drv.outputs, drv.input_drvs, drv.input_srcs, drv.system, drv.builder, drv.args, drv.env)
        self.write(path, text, references)
        self.hasher.add(drv, text)
        self.derivations.append(drv)
        self.unused.append(drv)
        self.size += len(text)
        self.edges += len(drv.input_drvs)
        return drv

    def fetch(self, name: str, sources: Sequence[str]) -> Derivation:
        digest = hashlib.sha256(name.encode()).hexdigest()
        out = Output("out", fixed_output_path(name, "sha256", digest, False, _STORE), "sha256", digest)
        mirrors = " ".join(f"https://mirror{i}.example.org/pub/archive/{name}" for i in range(8))
        env = {"name": name, "out": out.path, "outputHash": digest, "outputHashAlgo": "sha256", "urls": mirrors, "mirrorsFile": sources[0]}
        env |= {"impureEnvVars": "http_proxy https_proxy ftp_proxy all_proxy no_proxy NIX_MIRRORS_gnu", "preferLocalBuild": "1"}
        return self.add(name, Derivation("", {"out": out}, {}, (sources[0],), "x86_64-linux", b"builtin:fetchurl", (), _env(env)))

    def package(self, name: str, inputs: Sequence[Derivation], sources: Sequence[str], outputs: Sequence[str]) -> Derivation:
        """An ordinary derivation; its output paths follow from its text with the paths left blank."""
        input_drvs = {drv.path: self.outputs_used(drv) for drv in sorted(inputs, key=lambda drv: drv.path)}
        paths = [drv.outputs[input_drvs[drv.path][0]].path for drv in inputs]
        builder = f"{paths[0]}/bin/bash"
        env = {"name": name, "system": "x86_64-linux", "builder": builder}
        env |= {"buildInputs": " ".join(paths[3:5]), "nativeBuildInputs": paths[1 % len(paths)], "stdenv": paths[0], "src": paths[-1]}
        env |= {"outputs": " ".join(outputs), "strictDeps": "1", "doCheck": "", "configureFlags": "--enable-shared"}
        if self.random.random() < 0.5:
            env["installPhase"] = _SCRIPT
        env |= dict.fromkeys(outputs, "")
        args = (b"-e", sources[0].encode())
        blank = {output: Output(output, "") for output in outputs}
        text = write_derivation(Derivation("", blank, {}, tuple(sorted(sources)), "x86_64-linux", builder.encode(), args, _env(env)))
        entries = self.hasher.entries(input_drvs)
        digest = hashlib.sha256(text.replace(b"],[],[", b"],[" + ",".join(entries).encode() + b"],[", 1)).hexdigest()
        made = {o: Output(o, make_store_path(f"output:{o}", digest, output_path_name(name, o), _STORE)) for o in outputs}
        env |= {output: made[output].path for output in outputs}
        drv = Derivation("", made, input_drvs, tuple(sorted(sources)), "x86_64-linux", builder.encode(), args, _env(env))
        return self.add(name, drv)

    def outputs_used(self, drv: Derivation) -> tuple[str, ...]:
        names = sorted(drv.outputs)
        return tuple(names) if len(names) == 1 or self.random.random() < 0.2 else (self.random.choice(names),)

    def choose(self, count: int) -> list[Derivation]:
        """`count` different derivations, the longest unused among them, so that everything is used in the end."""
        chosen = {id(drv): drv for drv in (self.unused.popleft() for _ in range(min(2, len(self.unused))))}
        while len(chosen) < min(count, len(self.derivations)):
            drv = self.random.choice(self.derivations)
            chosen[id(drv)] = drv
        return list(chosen.values())


def _env(env: Mapping[str, str]) -> dict[bytes, bytes]:
    return {name.encode(): value.encode() for name, value in sorted(env.items())}


def make_graph(folder: Path, count: int = 5000, edges: int = 16, seed: int = 1) -> Graph:
    """Write a graph of `count` derivations with `edges` input derivations on average below `folder`/nix/store, which must not exist."""
    maker = Maker(folder, seed)
    names = [f"{kind}-{i}.sh" for i in range(100) for kind in ("builder", "setup", "fix")]
    sources = [maker.source(name, f"# {name}\n" + "set -eu\n" * 20) for name in names]
    fetches = count // 5
    for i in range(fetches):
        maker.fetch(f"archive{i}-{i % 7}.{i % 11}.tar.gz", maker.random.sample(sources, 1))
    packages = count - fetches
    for i in range(packages - 1):
        wanted = max(1, round(edges * count / packages * maker.random.uniform(0.5, 1.5)))
        outputs = ["dev", "out"] if i % 5 == 0 else ["out"]
        maker.package(f"pkg{i}-{i % 9}.{i % 13}", maker.choose(wanted), maker.random.sample(sources, 3), outputs)
    root = maker.package("root-1.0", list(maker.unused), sources[:1], ["out"])
    return Graph(folder, root.path, len(maker.derivations), maker.edges, maker.size, maker.references)
