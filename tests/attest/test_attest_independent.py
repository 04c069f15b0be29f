"""What attestations say their voters are made of: the signer's claim, held against the trusted base and against what others claim."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console
from test_attestations import people, run, verified, written  # noqa: F401 - fixtures

from xboot.attest import Attested
from xboot.attest.policy import make_policy
from xboot.attest.statement import Run
from xboot.cli import attest as verbs
from xboot.model import Component, Role
from xboot.request import Request
from xboot.tcb import digest
from xboot.voter import Voter


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def component(name: str, role: Role, *sources: str, content: str = "") -> Component:
    """Its bytes are `content`, or its own."""
    hashes = {source: sha(source) for source in sources}
    return Component(name, role, 10, sha(content or name), "a test", "1", lines=3 * len(sources) or None, source_hashes=hashes)


QEMU = [component("qemu-system", Role.SUBSTRATE), Component("host kernel", Role.SUBSTRATE, 0, "")]
BOCHS = [component("bochs", Role.SUBSTRATE)]


def made(backend: str, kernel: Sequence[str], executor: Sequence[str], below: Sequence[Component] = QEMU, machine: str = "qemu") -> Run:
    parts = [
        component("kernel", Role.KERNEL, *kernel, content=f"{backend} kernel {kernel}"),
        component("executor", Role.EXECUTOR, *executor, content=f"{backend} executor"),
        component("script", Role.SCRIPT),
    ]
    plain = replace(run(backend), voter=Voter(backend, "c", machine), image_sha256=sha(backend + "".join(kernel)))
    return replace(plain, components=parts, below=below, tcb_sha256=digest(parts))


LINUX = made("linux", ["linux.c"], ["executor.c"])
TCCBOOT = made("tccboot", ["tccboot.c"], ["executor.c"])
MIRAGE = made("mirage", ["mirage.ml"], ["executor.ml"])


def reasons(found: Attested) -> str:
    return "\n".join(refusal.reason for refusal in found.refused)


def test_a_source_that_two_signed_for_makes_them_one(written, verified) -> None:  # noqa: F811
    found = verified(written("alice", LINUX), written("bob", TCCBOOT), written("carol", MIRAGE)).independence
    assert list(found.guest) == ["alice on linux/c@qemu", "carol on mirage/c@qemu"]
    assert [pair.guest for pair in found.pairs if pair.guest] == [["executor"]]
    assert len(found.machines) == 1, "all on one machine"
    other = replace(MIRAGE, voter=Voter("mirage", "c", "bochs"), below=BOCHS)
    assert len(verified(written("alice", LINUX), written("carol", other)).independence.both) == 2


def test_who_does_not_say_is_independent_of_nobody(written, verified) -> None:  # noqa: F811
    """An attestation of before components were named, and one that leaves out what the others name."""
    assert len(verified(written("alice", LINUX), written("carol", run("mirage"))).independence.guest) == 1
    silent = made("mirage", [], ["executor.ml"])
    found = verified(written("alice", LINUX), written("carol", silent, "silent")).independence
    assert dict(found.unknown) == {"carol on mirage/c@qemu": ["kernel"]} and len(found.guest) == 1
    unhashed = replace(MIRAGE, below=[*BOCHS, Component("PC", Role.FIRMWARE, 0, "")], voter=Voter("mirage", "c", "serial"))
    assert len(verified(written("alice", LINUX), written("carol", unhashed, "unhashed")).independence.machines) == 1
    bare = replace(MIRAGE, below=(), voter=Voter("mirage", "c", "bochs"))
    assert len(verified(written("alice", LINUX), written("carol", bare, "bare")).independence.machines) == 1


def test_a_lie_is_held_against_what_others_say_of_the_same(written, verified) -> None:  # noqa: F811
    """Mallory's executor is tccboot's to the byte, and said to be made of something else; so is the whole image."""
    truth, lie = made("tccboot", ["tccboot.c"], ["executor.c"]), made("tccboot", ["tccboot.c"], ["forged.c"])
    everybody = ("alice", "bob", "mallory")
    alone = verified(written("alice", LINUX), written("mallory", lie), keys=everybody).independence
    assert len(alone.guest) == 2, "a claim by itself is believed: it is the signer's"
    found = verified(written("alice", LINUX), written("mallory", lie), written("bob", truth), keys=everybody).independence
    assert len(found.guest) == 1
    renamed = replace(lie, voter=Voter("other", "c", "qemu"))  # the same image under another backend's name
    found = verified(written("alice", LINUX), written("mallory", renamed), written("bob", truth), keys=everybody).independence
    assert len(found.guest) == 1


def test_components_must_be_those_of_the_trusted_base(written, verified) -> None:  # noqa: F811
    for odd in (
        replace(LINUX, components=LINUX.components[1:]),
        replace(LINUX, components=[*LINUX.components, component("more", Role.SERVICES)]),
        replace(LINUX, base="drifted: gcc"),
    ):
        assert "its components are not those of the trusted base" in reasons(verified(written("alice", odd)))
    drifted = replace(LINUX, base="drifted: gcc", tcb_sha256=digest(list(LINUX.components), "drifted: gcc"))
    assert not verified(written("alice", drifted)).refused


def test_no_component_hides_in_the_name_of_another(written, verified) -> None:  # noqa: F811
    """The digest is over lines of fields: a name with a line feed could be two components, and leave out the kernel."""
    kernel, executor, script = LINUX.components
    assert (executor.bytes, executor.lines) == (kernel.bytes, kernel.lines)
    both = replace(kernel, name=f"executor\t{executor.bytes}\t{executor.sha256}\t{executor.lines}\nkernel\tkernel", role=Role.EXECUTOR)
    assert digest([both, script]) == LINUX.tcb_sha256
    assert "is no component" in reasons(verified(written("alice", replace(LINUX, components=[both, script]))))


@pytest.mark.parametrize("change", [{"role": "nothing"}, {"bytes": "many"}, {"lines": "-1"}, {"sources": "abc"}])
def test_what_is_no_component_is_refused(written, verified, people, change, tmp_path: Path) -> None:  # noqa: F811
    from xboot.attest.envelope import canonical, sign

    file = written("alice", LINUX)
    payloads = [json.loads(base64.b64decode(json.loads(line)["payload"])) for line in file.read_text().splitlines()]
    dependencies = payloads[0]["predicate"]["buildDefinition"]["resolvedDependencies"]
    (kernel,) = [one for one in dependencies if one["name"] == "in the image: kernel"]
    kernel["annotations"].update(change)
    file.write_bytes(sign([canonical(payload) for payload in payloads], people["alice"][0]))
    assert "is no component" in reasons(verified(file))


def test_an_empty_file_is_no_source(written, verified, people) -> None:  # noqa: F811
    """Who names nothing else has a kernel that nobody knows."""
    from xboot.attest.envelope import canonical, sign

    file = written("alice", LINUX)
    payloads = [json.loads(base64.b64decode(json.loads(line)["payload"])) for line in file.read_text().splitlines()]
    dependencies = payloads[0]["predicate"]["buildDefinition"]["resolvedDependencies"]
    (kernel,) = [one for one in dependencies if one["name"] == "in the image: kernel"]
    kernel["annotations"]["sources"] = sha("")[:16]
    file.write_bytes(sign([canonical(payload) for payload in payloads], people["alice"][0]))
    found = verified(file, written("carol", MIRAGE))
    assert not found.refused and list(found.independence.unknown.values()) == [["kernel"]]


def test_a_statement_names_machine_program_and_firmware(written) -> None:  # noqa: F811
    payload = json.loads(base64.b64decode(json.loads(written("alice", LINUX).read_text().splitlines()[0])["payload"]))
    named = {one["name"]: one for one in payload["predicate"]["buildDefinition"]["resolvedDependencies"]}
    assert named["below the image: qemu-system"]["digest"]["sha256"] == sha("qemu-system")
    assert named["below the image: qemu-system"]["annotations"]["version"] == "1"
    assert "below the image: host kernel" not in named, "no host is named"


@pytest.mark.parametrize(("wanted", "machines", "status"), [(None, False, 0), (2, False, 0), (3, False, 6), (1, True, 0), (2, True, 6)])
def test_so_many_are_asked_for(
    written: Callable[..., Path],  # noqa: F811
    tmp_path: Path,
    people: object,  # noqa: F811
    wanted: int | None,
    machines: bool,
    status: int,
    capsys: pytest.CaptureFixture[str],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    files = [written("alice", LINUX), written("alice", TCCBOOT), written("alice", MIRAGE)]
    asked = verbs.Wanted(files, make_policy([people["alice"][1]], independent=wanted, independent_machines=machines), Request(), False)  # type: ignore[index]
    console = Console(stderr=True, width=300)
    assert verbs.verify(asked, console, as_json=True) == status
    out, err = capsys.readouterr()
    told = json.loads(out)
    assert (told["verdict"], told["independent"]["asked"]) == ("agreed" if status == 0 else "too few", wanted)
    assert told["independent"]["guestCode"] == ["alice on linux/c@qemu", "alice on mirage/c@qemu"]
    assert "2 of 3 voters by guest code" in err
    if status:
        assert f"of {wanted} voters that share n" in err


def test_only_those_count_whom_the_policy_lets_count(written, people) -> None:  # noqa: F811
    files = [written("alice", LINUX), written("alice", MIRAGE)]
    console = Console(stderr=True, width=300)
    for among, status in (([], 0), (["linux"], 6)):
        policy = make_policy([people["alice"][1]], only_kernels=among, independent=2)
        assert verbs.verify(verbs.Wanted(files, policy, Request(), False), console, as_json=False) == status
