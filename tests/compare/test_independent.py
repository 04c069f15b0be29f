"""Voters that share something count as one for what that could have got wrong."""

from __future__ import annotations

import copy
import hashlib
import io
import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from xboot.attest.reports import check_reports
from xboot.cache import file_sha256
from xboot.compare import Agreement, Comparison, compare
from xboot.compare.independent import MOST_KINDS, Makeup, independence, largest_apart
from xboot.errors import InputError, UsageError
from xboot.hooks import BackendOptions
from xboot.model import Artifact, BootImage, Component, Region, Role, Script
from xboot.parts.base import handed_out
from xboot.plugins import Plugins
from xboot.request import Request
from xboot.show.comparison import comparison_report, show_comparison
from xboot.show.html import comparison_page
from xboot.testing import FakeBackend, FakeMachine
from xboot.testing.boot import Plan, source
from xboot.voter import Voter


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def makeup(name: str, guest: str = "", below: str = "", **more: Any) -> Makeup:
    """Each letter is a part."""
    return Makeup(
        name, more.pop("backend", name), more.pop("machine", name), dict.fromkeys(guest, "kernel"), dict.fromkeys(below, "emulator"), **more
    )


def names(found: Sequence[str]) -> str:
    return "".join(found)


# ---------------------------------------------------------------- the rule


def test_who_shares_nothing_is_independent() -> None:
    found = independence([makeup("a", "x", "1"), makeup("b", "y", "2"), makeup("c", "z", "2")])
    assert (names(found.guest), names(found.machines), names(found.both)) == ("abc", "ab", "ab")
    assert [(pair.one, pair.other, pair.guest, pair.below) for pair in found.pairs] == [("b", "c", [], ["emulator"])]


def test_one_common_part_makes_two_voters_one() -> None:
    apart = independence([makeup("a", "xp", "1"), makeup("b", "yq", "2")])
    common = independence([makeup("a", "xp", "1"), makeup("b", "yp", "2")])
    assert (names(apart.guest), names(common.guest)) == ("ab", "a")


def test_one_backend_is_one_voter_whatever_it_is_made_of() -> None:
    found = independence([makeup("a", "x", "1", backend="linux"), makeup("b", "y", "2", backend="linux")])
    assert names(found.guest) == "a" and names(found.machines) == "ab" and names(found.both) == "a"


def test_one_machine_is_one_voter_whatever_is_below() -> None:
    found = independence([makeup("a", "x", "1", machine="qemu"), makeup("b", "y", "2", machine="qemu")])
    assert (names(found.guest), names(found.machines), names(found.both)) == ("ab", "a", "a")


def test_what_is_not_known_is_shared_with_everybody() -> None:
    found = independence([makeup("a", "x", "1", unknown=["kernel"]), makeup("b", "y", "2"), makeup("c", "z")])
    assert names(found.guest) == "bc" and names(found.machines) == "ab"
    (pair,) = independence([makeup("a", "x", "1", unknown=["kernel"]), makeup("b", "y", "2")]).pairs
    assert list(pair.in_guest) == ["kernel of a, whose sources nobody lists"] and not pair.in_machine
    assert independence([makeup("a", unknown=["kernel"])]).guest == ["a"]


def test_both_is_not_the_smaller_of_the_two() -> None:
    """Two share no guest code, two no machine, and no two share neither."""
    found = independence([makeup("a", "x", "1"), makeup("b", "x", "2"), makeup("c", "y", "12")])
    assert (len(found.guest), len(found.machines), len(found.both)) == (2, 2, 1)
    assert found.enough(2, machines=False) and not found.enough(2, machines=True) and found.enough(None, machines=True)


def brute(voters: Sequence[str], pairs: Sequence[tuple[str, str]]) -> int:
    for size in range(len(voters), -1, -1):
        for chosen in itertools.combinations(voters, size):
            if not any(one in chosen and other in chosen for one, other in pairs):
                return size
    return 0


def test_the_search_is_exact() -> None:
    """Against trying every set, for graphs drawn by a rule of their own; greedy choices fail on some of them."""
    seen = set()
    for seed in range(150):
        voters = [f"v{number}" for number in range(seed % 9)]
        every = list(itertools.combinations(voters, 2))
        pairs = [pair for pair in every if int(sha(f"{seed}{pair}")[:2], 16) < 40 + seed]
        found = largest_apart(voters, pairs)
        assert not any(one in found and other in found for one, other in pairs)
        assert len(found) == brute(voters, pairs), (voters, pairs)
        assert list(found) == sorted(found)
        seen.add(len(found))
    assert len(seen) > 5


def test_many_that_are_alike_are_one_kind() -> None:
    """A thousand files of one kernel are searched like one."""
    voters = [f"v{number}" for number in range(60)]
    pairs = [(one, other) for one, other in itertools.combinations(voters, 2) if int(one[1:]) % 3 == int(other[1:]) % 3]
    assert len(largest_apart(voters, pairs)) == 3
    ring = [(f"v{number}", f"v{(number + 1) % 60}") for number in range(60)]
    with pytest.raises(UsageError, match=f"at most {MOST_KINDS}"):
        largest_apart(voters, ring)
    assert len(largest_apart(voters[:32], [(f"v{number}", f"v{(number + 1) % 32}") for number in range(32)])) == 16


# ---------------------------------------------------------------- measured


class Parted(FakeBackend):
    """A fake whose image has a kernel and an executor, made of the source files that are given; `bare` names those that hide theirs."""

    def __init__(self, name: str, folder: Path, sources: Mapping[str, str], bare: Sequence[str] = (), handed: Artifact | None = None):
        super().__init__(name, systems=["x86_64-linux"])
        self._folder = folder / name
        self._folder.mkdir()
        self._bare, self._handed = bare, handed
        self._sources: dict[str, Path] = {}
        for part, text in sources.items():
            self._sources[part] = self._folder / f"{part}.c"
            self._sources[part].write_text(text)

    def prepare(self, options: BackendOptions, notify: Any) -> Mapping[str, Artifact]:
        if self._handed is not None:
            handed_out(self._handed)
        return {}

    def package(self, script: Script, artifacts: Mapping[str, Artifact], options: BackendOptions, folder: Path) -> BootImage:
        image = super().package(script, artifacts, options, folder)
        files, made, regions = dict(image.files), dict(image.artifacts), list(image.regions)
        made["acts"] = Artifact("acts", files["acts"], image.sha256, files["acts"].stat().st_size, Role.PADDING)
        for part, role in (("kernel", Role.KERNEL), ("executor", Role.EXECUTOR)):
            file = self._folder / part
            file.write_text(f"{part} of {self.info.name}")
            files[part] = file
            regions.append(Region(part, 0, file.stat().st_size, part))
            listed = [self._sources[part]] if part in self._sources and part not in self._bare else []
            made[part] = Artifact(part, file, file_sha256(file), file.stat().st_size, role, source_files=listed)
        return BootImage(self.info.name, script, files, regions, made, image.sha256)


class Standing(FakeMachine):
    """A fake machine with parts below the image: name → content."""

    def __init__(self, name: str, **parts: str) -> None:
        super().__init__(name)
        self._parts = parts

    def components(self, boot: Any) -> Sequence[Component]:
        return [Component(part, Role.SUBSTRATE, 1, sha(content)) for part, content in self._parts.items()]


def plugins(*parts: FakeBackend | FakeMachine) -> Plugins:
    found = Plugins()
    for part in parts:
        found.add(part, f"test:{part.info.name}")
    return found


@pytest.fixture
def script(tmp_path: Path) -> Script:
    tree = tmp_path / "tree"
    tree.write_text("tree")
    made = Plan(sources=[source(tree)])
    made.step(f"{made.sources[0].path}/sh", name="s1", inputs=[made.sources[0].path])
    return made.script()


def compared(script: Script, of: Plugins, voters: str = "", **wishes: Any) -> Comparison:
    asked = [Voter.parse(name) for name in (voters.split(",") if voters else sorted(of.backends))]
    return compare(script, Request(voters=asked, **{"segments": "none", **wishes}), of)


def said(comparison: Comparison) -> str:
    console = Console(file=io.StringIO(), width=300)
    show_comparison(console, comparison)
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


A = {"kernel": "kernel a", "executor": "executor a"}
B = {"kernel": "kernel b", "executor": "executor b"}


def test_a_planted_file_makes_two_backends_one(script: Script, tmp_path: Path) -> None:
    machine = Standing("qemu", qemu="emulator")
    apart = compared(script, plugins(Parted("a", tmp_path, A), Parted("b", tmp_path, B), machine))
    assert (list(apart.independence.guest), list(apart.independence.both)) == (["a", "b"], ["a"])
    assert "2 of 2 voters by guest code (a, b), 1 by machine, 1 by both" in said(apart) and "; 2 independent; script" in said(apart)
    (tmp_path / "more").mkdir()
    planted = {**B, "kernel": A["executor"]}
    common = compared(script, plugins(Parted("a", tmp_path / "more", A), Parted("b", tmp_path / "more", planted), machine))
    assert list(common.independence.guest) == ["a"]
    assert common.agreement is Agreement.AGREED, "a quorum counts runs, whatever they share"
    assert "shared  guest code of a, b: executor/kernel" in said(common) and "; 1 independent; script" in said(common)
    page = comparison_page(common, [], {})
    assert "executor/kernel" in page and "1 of 2 voters by guest code" in page


def test_too_few_independent_ones_are_no_agreement(script: Script, tmp_path: Path) -> None:
    of = plugins(Parted("a", tmp_path, A), Parted("b", tmp_path, {**B, "executor": A["executor"]}), Standing("qemu", qemu="emulator"))
    comparison = compared(script, of, independent=2)
    assert comparison.agreement is Agreement.COULD_NOT_RUN
    assert "2 complete runs agree, of which 1 share no guest code (a); 2 are needed" in said(comparison)
    assert compared(script, of, independent=1).agreement is Agreement.AGREED


def test_independent_machines_are_asked_for_as_well(script: Script, tmp_path: Path) -> None:
    machines = Standing("qemu", qemu="emulator", SeaBIOS="1"), Standing("bochs", bochs="another", rom="2")
    of = plugins(Parted("a", tmp_path, A), Parted("b", tmp_path, B), *machines)
    assert compared(script, of, "a,b", independent=2).agreement is Agreement.AGREED
    same = plugins(Parted("c", tmp_path, A), Parted("d", tmp_path, B), machines[0], Standing("copy", qemu="emulator"))
    assert compared(script, same, "c,d@copy", independent=2, independent_machines=True).agreement is Agreement.COULD_NOT_RUN
    assert compared(script, of, "a,b@bochs", independent=2, independent_machines=True).agreement is Agreement.AGREED


def test_two_versions_of_a_firmware_are_one(script: Script, tmp_path: Path) -> None:
    machines = Standing("qemu", qemu="1", **{"SeaBIOS for pc": "2"}), Standing("v86", v86="3", **{"seabios of v86": "4"})
    comparison = compared(script, plugins(Parted("a", tmp_path, A), Parted("b", tmp_path, B), *machines), "a,b@v86")
    assert list(comparison.independence.machines) == ["a"]
    assert "shared  below a, b@v86: SeaBIOS for pc/seabios of v86" in said(comparison)


def test_a_machine_of_which_nothing_is_known_may_be_any(script: Script, tmp_path: Path) -> None:
    """At the other end of a cable there may be a QEMU."""

    class Cable(Standing):
        def components(self, boot: Any) -> Sequence[Component]:
            return [*super().components(boot), Component("PC and its firmware", Role.FIRMWARE, 0, "")]

    machines = Standing("qemu", qemu="emulator"), Cable("serial", loader="2")
    comparison = compared(script, plugins(Parted("a", tmp_path, A), Parted("b", tmp_path, B), *machines), "a,b@serial")
    assert list(comparison.independence.machines) == ["a"] and list(comparison.independence.unmeasured) == ["b@serial"]
    assert "unknown what is below b@serial" in said(comparison)


def test_a_backend_that_hides_its_sources_is_independent_of_nobody(script: Script, tmp_path: Path) -> None:
    machine = Standing("qemu", qemu="emulator")
    for bare in (["kernel"], ["executor"]):
        folder = tmp_path / bare[0]
        folder.mkdir()
        comparison = compared(script, plugins(Parted("a", folder, A), Parted("b", folder, B, bare), machine))
        assert len(comparison.independence.guest) == 1
        assert f"unknown b: nobody lists the sources of {bare[0]}, so it is independent of nobody" in said(comparison)
    plain = compared(script, plugins(Parted("a", tmp_path, A), FakeBackend("b", systems=["x86_64-linux"]), machine))
    assert len(plain.independence.guest) == 1, "an image without an executor has an unknown one"


def test_a_backend_cannot_hide_what_this_core_gave_it(script: Script, tmp_path: Path) -> None:
    """It calls it by another name and lists other sources."""
    common = tmp_path / "executor.c"
    common.write_text("the executor that xboot has")
    given = Artifact("executor", tmp_path / "none", sha("executor"), 1, Role.EXECUTOR, source_files=[common])
    honest = Parted("a", tmp_path, {**A, "executor": common.read_text()})
    liar = Parted("b", tmp_path, B, handed=given)
    comparison = compared(script, plugins(honest, liar, Standing("qemu", qemu="emulator")))
    assert len(comparison.independence.guest) == 1


class Copied(Parted):
    """Its kernel is that of `a` to the byte; it says another hash, another size, and other sources."""

    def package(self, script: Script, artifacts: Mapping[str, Artifact], options: BackendOptions, folder: Path) -> BootImage:
        image = super().package(script, artifacts, options, folder)
        kernel = image.artifacts["kernel"]
        kernel.path.write_text("kernel of a")
        made = {**image.artifacts, "kernel": replace(kernel, sha256=sha("forged"), size=kernel.size + 1)}
        return replace(image, artifacts=made)


def test_what_a_backend_says_of_its_bytes_is_not_believed(script: Script, tmp_path: Path) -> None:
    of = plugins(Parted("a", tmp_path, A), Copied("b", tmp_path, B), Standing("qemu", qemu="emulator"))
    comparison = compared(script, of)
    assert [list(pair.guest) for pair in comparison.independence.pairs] == [["kernel"]]


def test_a_source_that_cannot_be_read_is_not_known(script: Script, tmp_path: Path) -> None:
    gone = Parted("b", tmp_path, B)
    (tmp_path / "b" / "kernel.c").unlink()
    comparison = compared(script, plugins(Parted("a", tmp_path, A), gone, Standing("qemu", qemu="emulator")))
    assert dict(comparison.independence.unknown) == {"b": ["kernel"]}


@pytest.mark.parametrize(
    ("name", "content"),
    [("empty.c", ""), ("sources.json", '{"x": {"sha256": ""}}'), ("sources.json", '{"x": {"sha256": "' + sha("")[:16] + '"}}')],
)
def test_what_is_empty_is_no_source(script: Script, tmp_path: Path, name: str, content: str) -> None:
    """A file without content, or a record of files without their hashes: whose code it is nobody knows by that."""
    bare = Parted("b", tmp_path, B)
    file = tmp_path / "b" / name
    file.write_text(content)
    bare._sources["kernel"] = file
    comparison = compared(script, plugins(Parted("a", tmp_path, A), bare, Standing("qemu", qemu="emulator")))
    assert dict(comparison.independence.unknown) == {"b": ["kernel"]}


def test_what_makes_no_sense_is_refused(script: Script, tmp_path: Path) -> None:
    of = plugins(Parted("a", tmp_path, A), Parted("b", tmp_path, B), Standing("qemu"))
    with pytest.raises(UsageError, match="--independent 3: 2 voters can run this script"):
        compared(script, of, independent=3)
    for voters, machines, what in (("a,a@other", False, "1 backend,"), ("a,b", True, "1 machine,")):
        folder = tmp_path / what
        folder.mkdir()
        every = plugins(Parted("a", folder, A), Parted("b", folder, B), Standing("qemu"), Standing("other"))
        with pytest.raises(UsageError, match=f"the voters have {what} and who shares one is one voter"):
            compared(script, every, voters, independent=2, independent_machines=machines)
    with pytest.raises(UsageError, match="says what independent voters may not share"):
        compared(script, of, independent_machines=True)


def test_a_changed_report_is_refused(script: Script, tmp_path: Path) -> None:
    machine = Standing("qemu", qemu="emulator")
    of = plugins(Parted("a", tmp_path, A), Parted("b", tmp_path, {**B, "executor": A["executor"]}), machine)
    told = json.loads(json.dumps(comparison_report(compared(script, of))))
    file = tmp_path / "report.json"

    def check(value: Any) -> None:
        file.write_text(json.dumps(value))
        check_reports(file, script)

    check(told)
    assert told["independent"]["shared"][0]["guestCode"] == ["executor"]
    more = copy.deepcopy(told)
    more["independent"]["guestCode"] = ["a", "b"]
    with pytest.raises(InputError, match="independent voters are not those that follow"):
        check(more)
    asked = copy.deepcopy(told)
    asked["independent"]["asked"] = 2
    with pytest.raises(InputError, match="too few are independent"):
        check(asked)
    machines = copy.deepcopy(told)
    machines["independent"]["shared"][0]["below"] = []
    machines["independent"]["machines"] = ["a", "b"]
    with pytest.raises(InputError, match="are on one machine"):
        check(machines)
    broken = copy.deepcopy(told)
    broken["independent"]["shared"] = [{"voters": ["a", "nobody"], "guestCode": ["x"], "below": []}]
    with pytest.raises(InputError, match="cannot be followed"):
        check(broken)


class Small(Standing):
    """A machine that takes nothing."""

    def takes(self, boot: Any) -> str:
        return "has a processor of 8 bits alone"


def test_a_cell_that_its_machine_refuses_is_listed_and_not_counted(script: Script, tmp_path: Path) -> None:
    machines = Standing("qemu", qemu="1"), Small("tiny", tiny="2")
    of = plugins(Parted("a", tmp_path, A), Parted("b", tmp_path, B), *machines)
    comparison = compared(script, of, "a,b,b@tiny")
    assert comparison.agreement is Agreement.AGREED and comparison.quorum == 2
    reason = "backend b does not boot on machine tiny, which has a processor of 8 bits alone"
    assert dict(comparison.skipped) == {"b@tiny": reason} and not comparison.failures
    assert f"absent  b@tiny: {reason}" in said(comparison)
    assert comparison_report(comparison)["skipped"] == {"b@tiny": reason}
    assert compared(script, of, "a,b,b@tiny", quorum=3).agreement is Agreement.COULD_NOT_RUN
    assert compared(script, of, "a,b@tiny").agreement is Agreement.COULD_NOT_RUN, "one voter alone is no agreement"
