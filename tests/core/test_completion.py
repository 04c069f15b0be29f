"""What a shell offers: verbs, options, targets, names of derivations, voters, settings; and nothing where nothing can be read."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CHAIN = "examples/chain/recipe.toml"
TCCS = ["tcc-cross", "tcc-crossed", "tcc1", "tcc2", "tcc3"]


def complete(words: str, shell: str = "bash", **env: str) -> list[str]:
    """What `xboot` answers a shell for these words, the last of which is being typed."""
    given = {"PATH": "/usr/bin:/bin", "_XBOOT_COMPLETE": f"complete_{shell}", "HOME": "/nonexistent", **env}
    given |= (
        {"COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
        if shell == "bash"
        else {"_TYPER_COMPLETE_ARGS": words, "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    )
    command = [str(Path(sys.executable).parent / "xboot")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=given, cwd=ROOT)
    assert not done.stderr, done.stderr
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("xboot ca", ["cache"]),
        ("xboot run --vot", ["--voters"]),
        ("xboot run --voters lin", ["linux"]),
        ("xboot run --voters linux/", ["linux/c", "linux/scheme"]),
        ("xboot run --voters linux@q", ["linux@qemu", "linux@qemu:ovmf"]),
        ("xboot compare -b mirage,t", ["mirage,tccboot"]),
        ("xboot run --set linux.ne", ["linux.net="]),
        ("xboot run --set net=lo", ["net=loopback"]),
        ("xboot run --set net = lo", ["loopback"]),
        ("xboot run examples/cha", ["examples/chain/"]),
        ("xboot run examples/chain/rec", [CHAIN]),
        (f"xboot run {CHAIN}:tcc", [f"{CHAIN}:{name}" for name in TCCS]),
        (f"xboot run {CHAIN}:tcc1,tcc", [f"{CHAIN}:tcc1,{name}" for name in TCCS if name != "tcc1"]),
        (f"xboot run {CHAIN} : tcc", TCCS),
        (f"xboot explain {CHAIN} fix", ["fixpoint"]),
        (f"xboot why-depends {CHAIN} mescc", ["mescc", "mescc-tools"]),
        ("xboot backends ta", []),
        ("xboot backends tc", ["tccboot"]),
        ("xboot plan -f d", ["dot"]),
        ("xboot tcb --format cy", ["cyclonedx"]),
        ("xboot run --accel k", ["kvm"]),
        (f"xboot diff {CHAIN}:tcc1 {CHAIN}:tcc2", [f"{CHAIN}:tcc2"]),
        (f"xboot derive {CHAIN}:fix", [f"{CHAIN}:fixpoint"]),
        ("xboot run nothing.toml:a", []),
        ("xboot explain /nonexistent.drv a", []),
        ("xboot run README.md:", []),
    ],
)
def test_completion_completes(words: str, offered: list[str]) -> None:
    assert complete(words) == offered


def test_shells_that_do_not_split_words_get_whole_ones() -> None:
    assert complete(f"xboot run {CHAIN}:fix", "fish") == [f"{CHAIN}:fixpoint"]


def test_of_a_folder_what_may_be_a_target_is_offered(tmp_path: Path) -> None:
    for name in ("a.drv", "b.toml", "c.bundle", "d.txt"):
        (tmp_path / name).touch()
    (tmp_path / "e").mkdir()
    assert complete(f"xboot run {tmp_path}/") == [f"{tmp_path}/{name}" for name in ("a.drv", "b.toml", "c.bundle", "e/")]


def test_names_of_a_closure_are_offered(tmp_path: Path) -> None:
    graph = next((ROOT / "tests" / "data" / "guix").glob("guix-stage0-*.tar.xz"))
    subprocess.run(["tar", "-C", tmp_path, "-xf", graph], check=True)
    (folder,) = tmp_path.iterdir()
    root = (folder / "ROOTS").read_text().strip()
    assert complete(f"xboot explain --store {folder} {root} gash-b") == ["gash-boot-0.3.1"]
