"""A reporter: `xboot run --report junit=FILE` writes the verdict as JUnit XML, which CI systems read.

A reporter is any object with the hook `xboot_report`. It answers True when it wrote the report, and None when the
format is somebody else's.
"""

from __future__ import annotations

import re
import secrets
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

from xboot.hooks import hookimpl
from xboot.model import OutputVerdict, Status, Verdict
from xboot.result import Result

# XML 1.0 has no way at all to write most control characters, surrogates and U+FFFE/U+FFFF, not even as &#0;. Builders print what they like.
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class JUnitReporter:
    """Format `junit`: one suite for the run, one case for each output."""

    contract_version = 2  # a plugin that is no backend says here for which contract it was written

    @hookimpl
    def xboot_report_formats(self) -> list[str]:
        """What `--report` may name; anything else is refused before the run."""
        return ["junit"]

    @hookimpl
    def xboot_report(self, format: str, result: Result, destination: Path | None) -> bool | None:
        """Write the report in one piece: a file that is half there would be read by somebody."""
        if format != "junit":
            return None
        text = ET.tostring(_suites(result), encoding="utf-8", xml_declaration=True) + b"\n"
        if destination is None:
            sys.stdout.buffer.write(text)
            sys.stdout.flush()
        else:
            scratch = destination.with_name(f".{secrets.token_hex(8)}.new")
            with scratch.open("xb") as sink:  # a file of ours, whatever somebody else put into this folder
                sink.write(text)
            scratch.replace(destination)
        return True


def _suites(result: Result) -> ET.Element:
    verdict = result.verdict
    cases = [_case(output, verdict) for output in verdict.outputs]
    if verdict.failure and not any(case.find("error") is not None for case in cases):  # e.g. the kernel did not come up
        case = ET.Element("testcase", classname=f"xboot.{verdict.backend}", name="the run", time="0")
        ET.SubElement(case, "error", message=_clean(verdict.failure), type="could not run")
        cases.insert(0, case)
    counts = {
        kind: str(sum(case.find(tag) is not None for case in cases))
        for kind, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped"))
    }
    totals: dict[str, str] = {"tests": str(len(cases)), "time": f"{verdict.seconds:.3f}", **counts}
    suites = ET.Element("testsuites", {"name": "xboot", **{k: v for k, v in totals.items() if k != "skipped"}})
    suite = ET.SubElement(suites, "testsuite", {"name": f"xboot on {result.voter}", **totals})
    properties = ET.SubElement(suite, "properties")
    for name, value in (
        ("script-sha256", verdict.script_sha256), ("image-sha256", verdict.image_sha256), ("accelerator", verdict.accelerator)
    ):  # fmt: skip
        ET.SubElement(properties, "property", name=name, value=_clean(value))
    suite.extend(cases)
    if verdict.console_tail:
        ET.SubElement(suite, "system-out").text = _clean(verdict.console_tail)
    return suites


def _case(output: OutputVerdict, verdict: Verdict) -> ET.Element:
    case = ET.Element("testcase", classname=f"xboot.{verdict.backend}", name=_clean(output.path), time=f"{output.seconds:.3f}")
    if output.status is Status.DIFFERS:
        wanted = ", ".join(f"{origin} says {value}" for origin, value in sorted(output.expected.items()))
        message = f"NAR hash is sha256 {output.nar_sha256}; {wanted}"
        ET.SubElement(case, "failure", message=_clean(message), type="differs").text = _clean(
            f"{output.drv} output {output.name}\n{message}"
        )
    elif output.status is Status.NOT_RUN and output.step == verdict.failed_step:
        ET.SubElement(case, "error", message=_clean(verdict.failure), type="could not run")
    elif output.status is Status.NOT_RUN:
        ET.SubElement(case, "skipped", message="an earlier step failed")
    return case


def _clean(text: str) -> str:
    """What XML cannot hold, spelled out. Everything else that needs escaping, the XML library escapes."""
    return _ILLEGAL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


plugin = JUnitReporter()
