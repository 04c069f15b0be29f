"""What is published of the images is what they measure: digests, bytes, lines, in docs/tcb.md and README.md."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

import figures

pytestmark = [pytest.mark.apt, pytest.mark.timeout(3600)]  # images that are not there yet are built
RENEW = "run `make figures`, and commit what it writes: what is published is not what is measured"


@pytest.fixture(scope="module")
def report() -> Mapping[str, Any]:
    command = [sys.executable, "-m", "xboot", "tcb", "--all", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr[-3000:]
    found: Mapping[str, Any] = json.loads(done.stdout)
    if figures.drift(found):
        pytest.skip(figures.drift(found))
    return found


def test_the_published_figures_are_those_of_the_locked_base(report: Mapping[str, Any]) -> None:
    for path, written in ((figures.PAGE, figures.page), (figures.README, figures.readme)):
        text = path.read_text()
        assert text == written(text, report), f"{path.name}: {RENEW}"


def test_another_digest_or_figure_is_written_anew(report: Mapping[str, Any]) -> None:
    page, readme = figures.PAGE.read_text(), figures.README.read_text()
    for name in figures.BACKENDS:
        other = page.replace(report["backends"][name]["imageSha256"], "0" * 64)
        assert other != page and figures.page(other, report) == page
        lines = f"{report['backends'][name]['lines']:,}"
        other = readme.replace(f"| {lines}", "| 9,999")
        assert other != readme and figures.readme(other, report) == readme
    other = re.sub(r"\d\d,000 lines", "10,000 lines", readme)
    assert other != readme and figures.readme(other, report) == readme


def test_a_page_without_a_place_for_them_is_said(report: Mapping[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"docs/tcb\.md has no lines"):
        figures.page("nothing", report)
    with pytest.raises(ValueError, match=r"README\.md has 0 places"):
        figures.readme("nothing", report)


def test_images_that_are_not_of_the_locked_base_are_not_published(report: Mapping[str, Any]) -> None:
    drifted = {"backends": {**report["backends"], "linux": report["backends"]["linux"] | {"base": "drifted: gcc 13 of this machine"}}}
    assert figures.drift(drifted) == "the image of linux is not of the locked base: drifted: gcc 13 of this machine"
