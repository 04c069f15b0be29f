"""docs/ways-in, as strangers do it: what each page says is done in a fresh root, and what comes is compared with what the page shows."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest
from transcripts import REPOSITORY, blocks, commands, follow, stranger

PAGES = REPOSITORY / "docs" / "ways-in"
NIX = "build-users-group =\nsubstituters =\nsandbox = false\n"


def fresh(folder: Path, page: str | Path) -> None:
    """Follow a page in `folder`: a root whose store, home and results are empty. Kernels come from this machine's cache."""
    home, store = folder / "home", folder / "nix"
    for made in (home, store, folder / "here"):
        made.mkdir()
    kept = {"XBOOT_CACHE": os.environ.get("XBOOT_CACHE") or str(Path.home() / ".cache" / "xboot")}
    env = stranger(
        HOME=str(home), XBOOT_STORE=str(home / "store"), XBOOT_RESULTS=str(home / "results"), XBOOT_RESULTS_KEY=str(home / "key"),
        PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}", repository=str(REPOSITORY), NIX_CONFIG=NIX, NIX_PATH="", NIX_REMOTE="",
        **kept,
    )  # fmt: skip
    follow(PAGES / page, folder / "here", env, inside=_root(store))


def _root(store: Path) -> list[str]:
    """The command that runs another in a root which is this machine's, but for an empty /nix."""
    shown = [
        argument
        for entry in sorted(Path("/").iterdir())
        if entry.name != "nix"
        for argument in (("--symlink", os.readlink(entry), str(entry)) if entry.is_symlink() else ("--dev-bind", str(entry), str(entry)))
    ]
    return ["bwrap", *shown, "--bind", str(store), "/nix", *(("--cap-add", "ALL") if os.getuid() == 0 else ())]


def test_every_page_ends_in_a_transcript_that_a_test_runs() -> None:
    for page in PAGES.glob("*.md"):
        last = [block for block in blocks(page) if block.kind == "console"][-1]
        assert any(line and not line.startswith("$ ") for line in last.text.splitlines()), page.name
        assert f'"{page.name}"' in Path(__file__).read_text(), page.name


def five_commands(file: Path) -> list[str]:
    (block,) = [block.text for block in blocks(file) if block.kind == "sh" and "tools/setup.sh" in block.text]
    return [line.partition("#")[0].strip() for line in block.splitlines()]


def test_five_commands_lead_from_readme_to_a_verdict_and_are_those_that_a_test_runs() -> None:
    shown = five_commands(REPOSITORY / "README.md")
    assert len(shown) == 5 and shown == five_commands(PAGES / "nix.md")
    typed = [command for block in blocks(PAGES / "nix.md") if block.kind == "console" for command, _ in commands(block)]
    wanted = [" ".join(command.split()) for command in shown[1:]]  # the first is every test's own set-up
    done = [command.replace(" --no-out-link", "") for command in typed]
    assert [command for command in done if command in wanted] == wanted


@pytest.mark.boot
def test_the_transcript_of_readme(tmp_path: Path) -> None:
    (shown,) = re.findall(r"^```\n\$ (xboot .*?)^```$", (REPOSITORY / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    page = tmp_path / "page.md"
    page.write_text("```console\n$ " + re.sub(r"\d+\.\d s", "… s", shown).replace("examples/", '"$repository"/examples/') + "```\n")
    fresh(tmp_path, page)


@pytest.mark.nix
@pytest.mark.boot
def test_from_nix(tmp_path: Path) -> None:
    fresh(tmp_path, "nix.md")


def test_from_guix(tmp_path: Path) -> None:
    fresh(tmp_path, "guix.md")


@pytest.mark.boot
def test_from_live_bootstrap(tmp_path: Path) -> None:
    fresh(tmp_path, "live-bootstrap.md")


@pytest.mark.boot
def test_for_debians_reproducible_builds(tmp_path: Path) -> None:
    fresh(tmp_path, "debian.md")


@pytest.mark.boot
def test_for_ci(tmp_path: Path) -> None:
    fresh(tmp_path, "ci.md")
