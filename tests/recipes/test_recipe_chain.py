"""The examples, from Debian's archive: built by nix in its sandbox, and run by xboot to the same hashes."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from xboot.boot import RunOptions
from xboot.hooks import LinearizeOptions, ReadOptions
from xboot.model import Status
from xboot.nar import nar_hash
from xboot.pipeline import Pipeline, Request
from xboot.plugins import Plugins
from xboot.recipe import Derived, derive
from xboot.storepath import store_name
from xboot.voter import Voter

EXAMPLES = Path(__file__).parents[2] / "examples"
WIDE = ("fixpoint-x86_64", "hello-x86_64", "scheme-x86_64", "mescc-x86_64", "meeting")  # of the chain, beside its default

pytestmark = [pytest.mark.nix, pytest.mark.apt, pytest.mark.compiler, pytest.mark.slow, pytest.mark.timeout(3600)]


@dataclass
class NixStore:
    """A store of nix's own below a folder, into which derived closures are put without nix's help."""

    root: Path

    def environment(self) -> dict[str, str]:
        config = self.root / "etc"
        config.mkdir(parents=True, exist_ok=True)
        (config / "nix.conf").write_text(
            "sandbox = true\nsandbox-fallback = false\nbuild-users-group =\n"
            "substitute = false\nextra-platforms = i686-linux\nmax-jobs = 1\n"
        )
        return {**os.environ, "NIX_CONF_DIR": str(config)}

    def load(self, derived: Derived, closure_references: dict[str, list[str]]) -> None:
        """Register every object of the derived store, with its NAR hash and its references."""
        store = self.root / "nix" / "store"
        store.mkdir(parents=True, exist_ok=True)
        registration = []
        for path in sorted(derived.store.iterdir()):
            if not (store / path.name).exists():
                subprocess.run(["cp", "-a", str(path), str(store / path.name)], check=True)
            info = nar_hash(path)
            references = closure_references.get(path.name, [])
            registration.append(
                "\n".join([f"/nix/store/{path.name}", info.sha256, str(info.size), "", str(len(references)), *references]) + "\n"
            )
        subprocess.run(
            ["nix-store", "--store", str(self.root), "--load-db"],
            input="".join(registration),
            text=True,
            check=True,
            env=self.environment(),
        )

    def build(self, *drvs: str) -> None:
        done = subprocess.run(
            ["nix-store", "--store", str(self.root), "--realise", *drvs],
            capture_output=True,
            text=True,
            env=self.environment(),
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]

    def hash(self, path: str) -> str:
        return nar_hash(self.root / "nix" / "store" / store_name(path)).sha256


def references_of(derived: Derived) -> dict[str, list[str]]:
    from xboot.parse import parse_derivation

    found = {}
    for path in derived.store.glob("*.drv"):
        drv = parse_derivation(path.read_bytes(), f"/nix/store/{path.name}")
        found[path.name] = sorted({*drv.input_drvs, *drv.input_srcs})
    return found


@pytest.fixture(scope="module")
def derived(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Derived]:
    """Both examples, copied so that the lock files of the repository stay as they are."""
    found = {}
    for example in ("hello", "chain"):
        folder = tmp_path_factory.mktemp(example)
        for file in (EXAMPLES / example).iterdir():
            (folder / file.name).write_bytes(file.read_bytes())
        found[example] = derive(folder / "recipe.toml", folder / "store")
        if example == "chain":
            found["wide"] = derive(folder / "recipe.toml", folder / "wide", WIDE)
    return found


@pytest.fixture(scope="module")
def nix(derived: dict[str, Derived], tmp_path_factory: pytest.TempPathFactory) -> NixStore:
    store = NixStore(tmp_path_factory.mktemp("nix"))
    for example in derived.values():
        store.load(example, references_of(example))
        store.build(*example.derivations.values())
    return store


def test_nix_builds_the_chain_and_the_three_compilers_are_one(derived: dict[str, Derived], nix: NixStore) -> None:
    outputs = derived["chain"].outputs
    hashes = {name: nix.hash(paths["out"]) for name, paths in outputs.items()}
    assert hashes["tcc1"] == hashes["tcc2"] == hashes["tcc3"]
    seed = nix.root / "nix" / "store" / store_name(derived["chain"].seeds["tcc-seed"]) / "bin" / "tcc"
    made = nix.root / "nix" / "store" / store_name(outputs["tcc1"]["out"]) / "bin" / "tcc"
    assert 200_000 < seed.stat().st_size < 400_000 and made.stat().st_size > 200_000
    store = nix.root / "nix" / "store"
    assert (store / store_name(outputs["hello"]["out"]) / "printed").read_text() == "Hello from tcc, compiled by tcc, compiled by tcc: 42\n"
    assert (store / store_name(outputs["mescc"]["out"]) / "printed").read_text() == "Hello from MesCC\n"
    assert (store / store_name(derived["hello"].outputs["hello"]["out"])).read_text().startswith("Hello from a kernel")


def test_nix_comes_to_one_compiler_for_x86_64_from_the_seed_of_either_system(derived: dict[str, Derived], nix: NixStore) -> None:
    outputs = derived["wide"].outputs
    hashes = {name: nix.hash(paths["out"]) for name, paths in outputs.items()}
    wide = ("tcc1-x86_64", "tcc2-x86_64", "tcc3-x86_64", "tcc-crossed")
    assert len({hashes[name] for name in wide}) == 1
    assert hashes["tcc2"] != hashes["tcc2-x86_64"]
    assert hashes["meeting"] == hashes["fixpoint-x86_64"] == nix.hash(derived["chain"].outputs["fixpoint"]["out"])
    store = nix.root / "nix" / "store"
    hello = store / store_name(outputs["hello-x86_64"]["out"])
    assert (hello / "bin" / "hello").read_bytes()[4:5] == b"\2", "a program of 64 bits"
    assert (hello / "printed").read_text() == "Hello from tcc, compiled by tcc, compiled by tcc: 42\n"
    cross = store / store_name(outputs["tcc-cross"]["out"])
    assert (cross / "bin" / "tcc").read_bytes()[4:5] == b"\1", "a program of 32 bits, which compiles for 64"
    mescc = store / store_name(outputs["mescc-x86_64"]["out"])
    assert (mescc / "bin" / "hello").read_bytes()[4:5] == b"\2"
    assert (mescc / "printed").read_text() == "Hello from MesCC\n"


def test_nothing_of_this_machine_is_in_the_seed(derived: dict[str, Derived], tmp_path: Path) -> None:
    """Made once more, in another place and without the cache, the seed is the same."""
    from xboot.cache import Cache

    folder = tmp_path / "elsewhere"
    folder.mkdir()
    for file in (EXAMPLES / "chain").iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    cache = Cache(tmp_path / "cache")
    # Packages may come from the usual cache: what is made must not.
    cache.root.mkdir()
    for kind in ("apt", "debian", "debian-source", "debian-unpacked"):
        (cache.root / kind).symlink_to(Cache().root / kind)
    again = derive(folder / "recipe.toml", folder / "store", ["tcc1"], cache=cache)
    assert again.seeds == derived["chain"].seeds
    wide = derive(folder / "recipe.toml", folder / "wide", ["tcc1-x86_64"], cache=cache)
    assert wide.seeds["tcc-seed-amd64"] == derived["wide"].seeds["tcc-seed-amd64"]
    assert again.derivations["tcc1"] == next(
        f"/nix/store/{p.name}" for p in derived["chain"].store.iterdir() if p.name.endswith("-tcc1.drv")
    )


@pytest.mark.parametrize("example", ["hello", "chain"])
def test_the_lock_file_in_the_repository_is_of_this_recipe(derived: dict[str, Derived], example: str) -> None:
    import json

    from xboot.recipe import load_recipe

    recipe = load_recipe(EXAMPLES / example / "recipe.toml")
    locked = json.loads((EXAMPLES / example / "recipe.lock").read_text())["sources"]
    recorded = {name for name, spec in recipe.source.items() if spec.type in ("debian", "debian-source", "made")}
    assert set(locked) == recorded


def held_against_nix(backend: str, store: Path, drvs: list[str], nix: NixStore) -> None:
    """Every output of every step, not only the results."""
    pipeline = Pipeline(Plugins.load())
    read = ReadOptions(stores=[store])
    script = pipeline.linearize(pipeline.read(drvs, read), LinearizeOptions())
    expected = {output.path: {"nix": nix.hash(output.path)} for step in script.steps for output in step.outputs}
    options = RunOptions(step_timeout=1200, run_timeout=3000, expected=expected)
    result = pipeline.run(Request(targets=drvs, voters=[Voter(backend)], read=read, run=options), script)
    assert result.verdict.ok, result.verdict.failure
    assert {output.path: output.status for output in result.verdict.outputs} == dict.fromkeys(expected, Status.MATCH)


@pytest.mark.boot
@pytest.mark.parametrize("example", ["hello", "chain"])
def test_the_linux_backend_comes_to_the_bits_that_nix_came_to(derived: dict[str, Derived], nix: NixStore, example: str) -> None:
    store = derived[example].store
    held_against_nix("linux", store, [str(store / store_name(path)) for path in derived[example].derivations.values()], nix)


@pytest.mark.boot
@pytest.mark.parametrize("backend", ["linux", "mirage", "tccboot"])
def test_both_systems_in_one_graph_come_to_the_bits_that_nix_came_to(derived: dict[str, Derived], nix: NixStore, backend: str) -> None:
    """The compiler for x86_64 from either seed, so steps for both systems, one with programs of both: on all kernels that run both. What
    else the chain has for x86_64 takes longer, and is run with XBOOT_WHOLE_CHAIN=1.
    """
    wanted = WIDE if "XBOOT_WHOLE_CHAIN" in os.environ else ("hello-x86_64", "meeting")
    store = derived["wide"].store
    held_against_nix(backend, store, [str(store / store_name(derived["wide"].derivations[name])) for name in wanted], nix)
