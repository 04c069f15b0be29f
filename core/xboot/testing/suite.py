"""The conformance suite: what every backend must do, whoever wrote it. `pytest --xboot-backend NAME` runs it, or in a backend's own tests:

    from xboot.testing.suite import BackendSuite

    class TestMine(BackendSuite):
        backend = "mine"

`MetadataSuite` and `PackageSuite` need neither a kernel nor QEMU; `BootSuite` boots real guests, one for each test and executor. The
rules are those of docs/contract.md; programs and hostile builders are in this package's folders, and come with the verdict that they
must get.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from xboot import nar
from xboot.model import Artifact, Event, Phase, Script, Status, Verdict
from xboot.pipeline import Pipeline
from xboot.plugins import Plugins
from xboot.request import MACHINE
from xboot.show import report
from xboot.testing.boot import boot as start
from xboot.testing.builders import ATTACKS, CALLS, HISTORY, PROGRAMS, SYSCALLS, SYSTEMS, Builder, Builders, load_builders, syscall_answers
from xboot.testing.kernelless import ImageTests, MetadataSuite, PackageSuite

__all__ = ["BackendSuite", "BootSuite", "MetadataSuite", "PackageSuite"]

_PROGRAMS = load_builders(PROGRAMS)

Run = Callable[..., tuple[Verdict, list[Event]]]


class BootSuite(ImageTests):
    """What needs the kernel: images, and guests that run builders."""

    @pytest.fixture
    def system_of_choice(self, xboot_plugins: Plugins) -> str:
        """i686-linux where the backend has it: all in-tree backends do, so that verdicts can be compared."""
        return next(system for system in SYSTEMS if system in xboot_plugins.backend(self.backend).systems)

    @pytest.fixture
    def artifacts(self, xboot_plugins: Plugins, executor: str) -> Mapping[str, Artifact]:
        """What the backend prepares, from its cache after the first time."""
        return Pipeline(xboot_plugins, self.backend).prepare(self.backend, None, self._options(executor))

    @pytest.fixture
    def boot(self, xboot_plugins: Plugins, executor: str, tmp_path: Path) -> Run:
        """Runs a script; the verdict and the events. `export`: store paths to bring out; `expected`: store paths with the hashes they must
        have.
        """

        def run(
            script: Script, *, timeout: float = 60, memory: int | None = None, export: Sequence[str] = (),
            expected: Mapping[str, str] | None = None,
        ) -> tuple[Verdict, list[Event]]:  # fmt: skip
            if export and not self._exports(xboot_plugins):
                pytest.skip("looks at the content of an output, and nothing comes out of this voter's guests but hashes")
            booted = start(
                script, self.backend, tmp_path, plugins=xboot_plugins, machine=self.machine, executor=executor, settings=self.settings,
                memory=memory, timeout=timeout, export=export, expected=expected,
            )  # fmt: skip
            return booted.verdict, list(booted.events)

        return run

    def _exports(self, plugins: Plugins) -> bool:
        """Whether outputs can be brought out of this voter's guests."""
        below = plugins.machine(self.machine or MACHINE).info
        return "export" in plugins.backend(self.backend).abilities and "read-memory" in below.abilities

    # ---- the executor's contract

    def test_what_a_builder_sees(self, xboot_builders: Callable[[str], Builders], boot: Run, system: str, executor: str) -> None:
        """Section 4.3.2 to 4.3.4: the date, directory, files, user, umask, descriptors, environment, host name; nothing else."""
        script = xboot_builders(system).script(_PROGRAMS["contract"])
        step = script.steps[0]
        first = step.outputs[0].path
        verdict, _ = boot(script, export=[first])
        assert verdict.ok, f"{verdict.failure}\n{verdict.console_tail}"
        files = _files(verdict.exports[first])
        lines = files[b"facts"].decode().splitlines()
        facts = {name: value.strip() for name, _, value in (line.partition(" ") for line in lines)}
        inputs = [path.rsplit("/", 1)[-1] for path in (*step.inputs, first)]
        assert facts["cwd"] == step.cwd
        assert facts["files"] == "0", "the build directory is not empty"
        assert facts["user"] == "1000 100 100"
        assert facts["umask"] == "0022"
        assert facts["pid"] == "1", "the builder is process 1 of a namespace of its own"
        assert facts["host"] == "localhost"
        assert facts["stdin"] == "0"
        assert sorted(facts["store"].split()) == sorted(inputs), "it sees other store paths than its inputs"
        assert facts["tmp"] == "0"
        declared = {path.split("/")[1] for path, _ in step.files} | {"build", "dev", "nix", "tmp"}
        assert set(facts["root"].split()) - {"proc"} == declared
        assert facts["shm"] == "1777 0"
        assert facts["zero"] == "3"
        assert facts["times"].split() == ["1", "1", "1"], "a source's files and folders are of one second after 1970 (section 2)"
        assert facts["date"] == "2030-01-01 00:00", "each step begins at the same date"
        assert facts["future"] == "0", "files of the step are later than now"
        assert "writes" in facts
        assert [line for line in lines if line.startswith(("no ", "open "))] == []
        environment = dict(line.split(b"=", 1) for line in files[b"env"].splitlines())
        extra = {name for name, value in environment.items() if (name, value) not in set(step.env)}
        assert extra <= {b"PWD", b"OLDPWD", b"SHLVL", b"_"}, "only what a shell sets by itself may be added"
        assert {name for name, _ in step.env} <= environment.keys()

    def test_outputs_are_hashed_as_nix_hashes_them(
        self, xboot_builders: Callable[[str], Builders], boot: Run, system: str, executor: str, tmp_path: Path
    ) -> None:
        """Modes, times, links, odd names, many sizes: the guest's NAR hash is that of the same tree, made here."""
        verdict, _ = boot(xboot_builders(system).script(_PROGRAMS["tree"]))
        assert verdict.ok, f"{verdict.failure}\n{verdict.console_tail}"
        _make_tree(tmp_path / "tree")
        expected = nar.nar_hash(tmp_path / "tree")
        assert (verdict.outputs[0].nar_size, verdict.outputs[0].nar_sha256) == (expected.size, expected.sha256)

    def test_references_are_found(self, xboot_builders: Callable[[str], Builders], boot: Run, system_of_choice: str, executor: str) -> None:
        """By the hash part alone, wherever it stands: across blocks, in links, in names; and no others."""
        script = xboot_builders(system_of_choice).script(_PROGRAMS["references"])
        verdict, _ = boot(script)
        assert verdict.ok, verdict.failure
        busybox = next(path for path in script.steps[0].inputs if path.endswith("busybox-static"))
        assert list(verdict.outputs[0].references) == sorted([busybox, script.steps[0].outputs[0].path])

    def test_the_channel_says_everything_in_order(
        self, xboot_builders: Callable[[str], Builders], boot: Run, system_of_choice: str, executor: str
    ) -> None:
        script = xboot_builders(system_of_choice).script(ATTACKS["hard-link-to-output"])
        verdict, events = boot(script)
        assert verdict.ok, verdict.failure
        told = [(e.phase, e.step, e.name) for e in events if e.phase not in (Phase.STAGE, Phase.PREPARE, Phase.CONSOLE)]
        wanted = [(Phase.HELLO, 0, "")]
        wanted += [(Phase.SOURCE, 0, source.path) for source in script.sources]
        for step in script.steps:
            wanted += [(Phase.BEGIN, step.number, ""), *((Phase.OUTPUT, step.number, output.name) for output in step.outputs)]
        wanted += [(Phase.DONE, len(script.steps), "")]
        assert [(phase, step) for phase, step, _ in told] == [(phase, step) for phase, step, _ in wanted]
        assert [name for phase, _, name in told if phase is Phase.OUTPUT] == [name for phase, _, name in wanted if phase is Phase.OUTPUT]

    def test_a_wrong_expectation_is_a_difference(
        self, xboot_builders: Callable[[str], Builders], boot: Run, system_of_choice: str, executor: str
    ) -> None:
        script = xboot_builders(system_of_choice).shell("differs", "echo ok > $out")
        verdict, _ = boot(script, expected={script.results[0]: "0" * 64})
        assert [output.status for output in verdict.outputs] == [Status.DIFFERS]
        assert report.exit_code(verdict) == report.EXIT_DIFFERS

    def test_a_builder_that_does_not_exist(
        self, xboot_builders: Callable[[str], Builders], boot: Run, system_of_choice: str, executor: str
    ) -> None:
        script = xboot_builders(system_of_choice).shell("not-started", "echo ok > $out", builder="nothing")
        verdict, _ = boot(script)
        assert "could not be started: execve failed with error 2" in verdict.failure
        assert script.steps[0].drv in verdict.failure

    # ---- system calls

    @pytest.mark.parametrize("program", [SYSCALLS, CALLS], ids=["syscalls", "calls"])
    def test_system_calls_answer_as_linux_does(
        self,
        xboot_plugins: Plugins,
        xboot_builders: Callable[[str], Builders],
        boot: Run,
        system: str,
        executor: str,
        program: Path,
        tmp_path: Path,
    ) -> None:
        """Line by line what Debian 12's Linux answers: programs/syscalls, what bootstrap programs ask; programs/calls, what others ask."""
        script = xboot_builders(system).script(_PROGRAMS[program.parent.name], to_output=True)
        answers = syscall_answers(program, system)
        (tmp_path / "answers").write_text("".join(f"{line}\n" for line in answers))
        exports = self._exports(xboot_plugins)  # else the lines are not to be seen, and their hash must do
        verdict, _ = boot(script, export=script.results if exports else ())
        assert verdict.ok, f"{verdict.failure}\n{verdict.console_tail}"
        if exports:
            (lines,) = _files(verdict.exports[script.results[0]]).values()
            assert lines.decode().splitlines() == answers
        assert verdict.outputs[0].nar_sha256 == nar.nar_hash(tmp_path / "answers").sha256

    def test_address_space_is_not_memory(
        self, xboot_plugins: Plugins, xboot_builders: Callable[[str], Builders], boot: Run, executor: str
    ) -> None:
        """A builder may ask for more than there is, as long as it does not touch it (programs/reserve.c)."""
        if "i686-linux" not in xboot_plugins.backend(self.backend).systems:
            pytest.skip("the program is for i686-linux, which this backend does not run")
        builder = _PROGRAMS["reserve"]
        verdict, _ = boot(xboot_builders("i686-linux").script(builder), timeout=builder.timeout, memory=builder.memory)
        assert verdict.ok, f"{verdict.failure}\n{verdict.console_tail}"

    @pytest.mark.slow
    def test_the_micro_benchmark_runs(
        self, xboot_plugins: Plugins, xboot_builders: Callable[[str], Builders], boot: Run, executor: str
    ) -> None:
        """Every figure is there; how fast is too slow, nobody can say."""
        if "i686-linux" not in xboot_plugins.backend(self.backend).systems:
            pytest.skip("the program is for i686-linux, which this backend does not run")
        script = xboot_builders("i686-linux").script(_PROGRAMS["microbench"], ["$bb/bin/true"], to_output=True)
        verdict, _ = boot(script, export=script.results, timeout=300)
        assert verdict.ok, f"{verdict.failure}\n{verdict.console_tail}"
        (lines,) = _files(verdict.exports[script.results[0]]).values()
        figures = re.findall(r"(?m)^(.+?) (\d+) (?:/s|MiB/s|us each)$", lines.decode())
        assert len(figures) >= 12
        assert all(int(figure) > 0 for _, figure in figures)

    # ---- hostile builders

    def test_hostile_builder(
        self, attack: Builder, xboot_builders: Callable[[str], Builders], boot: Run, system_of_choice: str, executor: str, tmp_path: Path
    ) -> None:
        """Each gets the verdict that its file says: on every backend the same."""
        script = xboot_builders(attack.system or system_of_choice).script(attack)
        verdict, _ = boot(script, timeout=attack.timeout, memory=attack.memory)
        told = f"{verdict.failure}\n{verdict.console_tail}"
        if self.machine in attack.breaks and verdict.failure.startswith("the machine ended with status"):
            assert all(output.status is Status.NOT_RUN for output in verdict.outputs), "the machine ended, and yet something was built"
            return
        if attack.fails is None:
            assert verdict.ok, told
        else:
            assert re.search(attack.fails, verdict.failure), told
            assert f"step 1 ({script.steps[0].drv})" in verdict.failure or f"at step 1 ({script.steps[0].drv})" in verdict.failure
            assert all(output.status is Status.NOT_RUN for output in verdict.outputs)
            assert report.exit_code(verdict) == report.EXIT_COULD_NOT_RUN
        if attack.nar_sha256:
            assert verdict.outputs[0].nar_sha256 == attack.nar_sha256, "the output is not what the builder left when it ended"
        console = (tmp_path / "console").read_bytes()
        assert len(console) < 3 << 20, "a builder may say 1 MiB"
        assert re.search(attack.log.encode(), console)

    def test_history_is_not_repeated(
        self, xboot_plugins: Plugins, xboot_builders: Callable[[str], Builders], boot: Run, executor: str
    ) -> None:
        """Known faults of others, replayed as the steps of one run: each gains nothing, and its output is what it left."""
        if "i686-linux" not in xboot_plugins.backend(self.backend).systems:
            pytest.skip("the programs are for i686-linux, which this backend does not run")
        history = load_builders(HISTORY)
        script = xboot_builders("i686-linux").together(history.values())
        verdict, _ = boot(script, timeout=max(builder.timeout for builder in history.values()))
        assert verdict.ok, f"{verdict.failure}\n{verdict.console_tail}"
        hashes = {output.path.split("-", 1)[1]: output.nar_sha256 for output in verdict.outputs}
        assert {name: hashes[name] for name in history} == {name: builder.nar_sha256 for name, builder in history.items()}


class BackendSuite(BootSuite):
    """Everything."""


def _files(exported: Path) -> dict[bytes, bytes]:
    """Path → content of the regular files of a NAR."""
    with exported.open("rb") as stream:
        return {b"/".join(entry.path): b"".join(entry.chunks) for entry in nar.read(stream) if entry.kind == "regular"}


def _make_tree(root: Path) -> None:
    """What programs/tree.sh makes, by Python."""
    root.mkdir()
    top = os.fsencode(root)
    for size in range(18):
        (root / f"size{size}").write_bytes(b"x" * size)
    (root / "empty").mkdir()
    (root / "private").mkdir()
    (root / "private" / "file").touch()
    (root / "run").write_text("run\n")
    (root / "run").chmod(0o755)
    (root / "no").write_text("no\n")
    (root / "world").write_text("w\n")
    for target, name in ((b"/nowhere", b"dangling"), (b".", b"here"), (b"a\nb \xff", b"odd")):
        os.symlink(target, top + b"/" + name)
    for name in (b"line\nfeed", b"\xe9t\xe9", b"a b", b'"quote\\', b"-n", b"(list)", b".hidden", b"UP", b"up"):
        with open(top + b"/" + name, "wb"):
            pass
    (root / "large").write_bytes(bytes(1048577))
    deep = root.joinpath(*["d"] * 50)
    deep.mkdir(parents=True)
    (deep / "f").write_text("deep")
