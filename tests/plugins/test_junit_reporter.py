"""The JUnit example against hostile text: whatever a builder printed, the file is XML, and says what it says."""

from __future__ import annotations

import importlib.util
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xboot.model import EMPTY_SCRIPT, Boot, BootImage, OutputVerdict, Protocol, Status, Verdict
from xboot.plugins import Plugins
from xboot.result import Result
from xboot.voter import Voter

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "plugins" / "xboot-junit" / "xboot_junit.py"
PATH = "/nix/store/ymf5vpy0wqg6jfw1l25kxcjv4bk80xc8-hello"


@pytest.fixture(scope="module")
def junit() -> ModuleType:
    spec = importlib.util.spec_from_file_location("xboot_junit_example", EXAMPLE)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def output(step: int, status: Status, path: str = PATH) -> OutputVerdict:
    return OutputVerdict(step, f"{path}.drv", "out", path, status, "1" * 64, 120, expected={"--expect": "2" * 64}, seconds=1.5)


def verdict(*outputs: OutputVerdict, failure: str = "", failed_step: int | None = None, console: str = "") -> Result:
    said = Verdict("fake", "3" * 64, "4" * 64, "tcg", outputs, failure, failed_step, 9.25, console_tail=console)
    image = BootImage("fake", EMPTY_SCRIPT, {}, (), {}, "4" * 64)
    return Result(Voter("fake", "c", "qemu"), {}, EMPTY_SCRIPT, image, Boot(Protocol.PVH, Path("kernel"), 16), said)


def written(junit: ModuleType, given: Result, file: Path) -> ET.Element:
    plugins = Plugins()
    plugins.add(junit.plugin, "xboot-junit:junit")
    assert not plugins.broken
    assert plugins.call("xboot_report", format="junit", result=given, destination=file) == [True]
    return ET.parse(file).getroot()


def test_each_status_has_its_element(junit: ModuleType, tmp_path: Path) -> None:
    outputs = [output(n, s) for n, s in enumerate((Status.MATCH, Status.UNKNOWN, Status.DIFFERS, Status.NOT_RUN, Status.NOT_RUN), 1)]
    suite = written(junit, verdict(*outputs, failure="step 4: exit status 1", failed_step=4), tmp_path / "x.xml")[0]
    kinds = [[child.tag for child in case] for case in suite.findall("testcase")]
    assert kinds == [[], [], ["failure"], ["error"], ["skipped"]]
    assert {k: suite.get(k) for k in ("tests", "failures", "errors", "skipped")} == {
        "tests": "5", "failures": "1", "errors": "1", "skipped": "1",
    }  # fmt: skip
    assert not list(tmp_path.glob(".*")), "nothing is left beside it"


def test_a_machine_that_never_came_up_is_an_error(junit: ModuleType, tmp_path: Path) -> None:
    root = written(junit, verdict(output(1, Status.NOT_RUN), failure="no hello"), tmp_path / "x.xml")
    assert root.get("errors") == "1"
    assert [case.get("name") for case in root.iter("testcase")] == ["the run", PATH]


def test_hostile_text_stays_text(junit: ModuleType, tmp_path: Path) -> None:
    hostile = "]]></system-out><testcase name='forged'/>\x00\x1b[2J\x08\ud800\ufffe&amp;<!-- \"'"
    root = written(junit, verdict(output(1, Status.NOT_RUN), failure=hostile, failed_step=1, console=hostile), tmp_path / "x.xml")
    assert len(list(root.iter("testcase"))) == 1
    said = root.findtext("testsuite/system-out")
    assert said == "]]></system-out><testcase name='forged'/>\\x00\\x1b[2J\\x08\\xd800\\xfffe&amp;<!-- \"'"


@given(st.text(st.characters(exclude_categories=())))
def test_any_text_gives_xml(junit: ModuleType, text: str) -> None:
    tree = junit._suites(verdict(output(1, Status.DIFFERS), failure=f"no hello {text}", console=text))
    parsed = ET.fromstring(ET.tostring(tree, encoding="utf-8"))
    assert [case.get("name") for case in parsed.iter("testcase")] == ["the run", PATH]


def test_another_format_is_left_to_others(junit: ModuleType, tmp_path: Path) -> None:
    assert junit.plugin.xboot_report(format="json", result=verdict(), destination=tmp_path / "x") is None
    assert not list(tmp_path.iterdir())
