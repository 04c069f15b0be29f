"""Bad plugins, installed as distributions: each is one message that names it, and everybody else keeps working."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from xboot.errors import PluginError
from xboot.hooks import CONTRACT_VERSION, hookimpl
from xboot.model import BackendInfo, Event, Phase, Setting
from xboot.plugins import Plugins

PREAMBLE = """
from xboot.hooks import hookimpl
from xboot.model import BackendInfo, Event, Setting

class Plugin:
    @hookimpl
    def xboot_backend(self):
        return BackendInfo("bad", "a test", ["i686-linux"], contract=2)
"""

# name: (module, what `xboot backends` must say of it)
BROKEN = {
    "raises-on-import": (
        "raise RuntimeError('no [/bold] luck\\n\\x1b[2Jtoday')",
        "cannot be imported: RuntimeError: no [/bold] luck \\x1b[2Jtoday",
    ),
    "exits-on-import": ("import sys\nsys.exit('bye')", "cannot be imported: SystemExit: bye"),
    "no-dependency": ("import nosuchmodule.inner", "cannot be imported: it needs the Python module 'nosuchmodule', which is not installed"),
    "newer-xboot": ("import xboot.teleport", "it needs the Python module 'xboot.teleport', which this xboot does not have"),
    "no-object": ("", "cannot be imported: AttributeError: module 'no_object' has no attribute 'plugin'"),
    "a-class": (PREAMBLE + "plugin = Plugin", "the entry point names the class Plugin, expected an object"),
    "no-hooks": ("plugin = object()", "implements no hook of xboot"),
    "taken": (PREAMBLE.replace('"bad"', '"linux"') + "plugin = Plugin()", "the backend name 'linux' is already taken by xboot:linux"),
    "wrong-argument": (
        PREAMBLE + "    @hookimpl\n    def xboot_event(self, evnt): ...\nplugin = Plugin()",
        "hook xboot_event: argument 'evnt' is not in the contract, which has: event",
    ),
    "unknown-hook": (PREAMBLE + "    @hookimpl\n    def xboot_evnet(self, event): ...\nplugin = Plugin()",
                     "implements the hook xboot_evnet"),
    "raises-when-described": (
        PREAMBLE.replace("return BackendInfo", "raise KeyError").replace(", contract=2", "") + "plugin = Plugin()",
        "hook xboot_backend raised KeyError",
    ),
    "wrong-type": (PREAMBLE.replace("BackendInfo(", "dict(name=").replace('"a test", ["i686-linux"], ', "") + "plugin = Plugin()",
                   "hook xboot_backend returned dict, expected BackendInfo"),
    "text-for-a-list": (PREAMBLE.replace('["i686-linux"]', '"i686-linux"') + "plugin = Plugin()",
                        "BackendInfo.systems is 'i686-linux', expected a sequence of strings"),
    "other-contract": (PREAMBLE.replace("contract=2", "contract=7") + "plugin = Plugin()",
                       f"made for contract version 7, this xboot speaks version {CONTRACT_VERSION}"),
    "first-contract": (
        "from xboot.backend import Backend\nfrom xboot.model import BackendInfo\nclass Old(Backend):\n"
        "    info = BackendInfo('old', 'a test', ['i686-linux'])\n    def machine(self, image, options): ...\nplugin = Old()",
        'made for contract version 1, this xboot speaks version 2; "Moving from version 1 to 2" in docs/stability.md says what to change',
    ),
    "first-contract-import": (
        "from xboot.model import Machine",
        "cannot be imported: xboot.model has no Machine; it was perhaps made for contract version 1, this xboot speaks version 2; "
        '"Moving from version 1 to 2" in docs/stability.md',
    ),
    "first-contract-reporter": (
        "from xboot.hooks import hookimpl\nclass P:\n    @hookimpl\n    def xboot_report(self, format): ...\nplugin = P()",
        "made for contract version 1, this xboot speaks version 2",
    ),
    "machine-of-no-kind": (
        "from xboot.hooks import hookimpl\nclass P:\n    contract_version = 2\n"
        "    @hookimpl\n    def xboot_machine(self): return 'qemu'\nplugin = P()",
        "hook xboot_machine returned str, expected a subclass of xboot.machine.Machine",
    ),
    "machine-of-letters": (
        "from dataclasses import replace\nfrom xboot.testing import FakeMachine\nplugin = FakeMachine('letters')\n"
        "plugin.info = replace(plugin.info, variants='ovmf')",
        "hook xboot_machine: MachineInfo.variants is 'ovmf', expected lower-case names",
    ),
    "machine-taken": (
        "from xboot.testing import FakeMachine\nplugin = FakeMachine('qemu')",
        "the machine name 'qemu' is already taken by xboot:qemu",
    ),
    "other-contract-reporter": (
        "from xboot.hooks import hookimpl\nclass P:\n    contract_version = 9\n"
        "    @hookimpl\n    def xboot_report(self, new_argument): ...\nplugin = P()",
        f"made for contract version 9, this xboot speaks version {CONTRACT_VERSION}",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of installed distributions, as pip would have left them, with one good plugin among them."""
    folder = tmp_path_factory.mktemp("site")
    good = PREAMBLE.replace('"bad"', '"good"') + "plugin = Plugin()"
    for name, text in {"good": good, **{name: text for name, (text, _) in BROKEN.items()}}.items():
        module = name.replace("-", "_")
        (folder / f"{module}.py").write_text(text + "\n")
        info = folder / f"dist_{module}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: dist-{name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[xboot]\n{name} = {module}:plugin\n")
    return folder


def xboot(site: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    env = os.environ | {"PYTHONPATH": str(site), "COLUMNS": "120", "NO_COLOR": "1"}
    command = [sys.executable, "-m", "xboot", *arguments]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=False, stdin=subprocess.DEVNULL)


def test_backends_shows_each_with_its_reason(site: Path) -> None:
    done = xboot(site, "backends", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert {"good", *Plugins.load().backends} <= found["backends"].keys()
    assert found["broken"].keys() == {f"dist-{name}:{name}" for name in BROKEN}
    for name, (_, says) in BROKEN.items():
        reason = found["broken"][f"dist-{name}:{name}"]
        assert says in reason
        assert "\n" not in reason and "\x1b" not in reason


@pytest.mark.boot
@pytest.mark.parametrize("verb", ["backends", "doctor"])
def test_people_see_the_same(site: Path, verb: str) -> None:
    done = xboot(site, verb)
    assert done.returncode == 0, done.stderr
    lines = (done.stdout + done.stderr).splitlines()
    for name, (_, says) in BROKEN.items():
        assert any(line.startswith("broken") and f"dist-{name}:{name}: " in line and says in line for line in lines), name


def test_who_asks_for_a_broken_backend_is_told_why(site: Path) -> None:
    done = xboot(site, "run", "--backend", "no-dependency", "examples/hello/recipe.toml")
    assert done.returncode == 2
    assert "there is no backend 'no-dependency'; plugin dist-no-dependency:no-dependency: cannot be imported" in done.stderr


class Good:
    """A backend and observer that nothing is wrong with."""

    def __init__(self, name: str = "good") -> None:
        self.name, self.seen = name, 0

    @hookimpl
    def xboot_backend(self) -> BackendInfo:
        return BackendInfo(self.name, "a test", ["i686-linux"], contract=2)

    @hookimpl
    def xboot_event(self, event: Event) -> None:
        self.seen += 1


STATED = {"contract_version": 2, "xboot_report_formats": hookimpl(lambda self: ["x"])}
ARGUMENTS = {
    "xboot_read_closure": {"target": "x", "options": None},
    "xboot_linearize": {"closure": None, "options": None},
    "xboot_prepare": {"backend": "x", "options": None, "notify": None},
    "xboot_package": {"backend": "x", "script": None, "artifacts": {}, "options": None, "folder": None},
    "xboot_boot": {"backend": "x", "image": None, "options": None},
    "xboot_tcb": {"backend": "x", "image": None},
    "xboot_report": {"format": "x", "result": None, "destination": None},
}


@pytest.mark.parametrize("hook", ARGUMENTS)
@pytest.mark.parametrize("value", ["text", 3.5, [1], {"kernel": "vmlinuz"}], ids=["text", "number", "list", "mapping"])
def test_a_wrong_type_names_plugin_and_hook(hook: str, value: object) -> None:
    plugins = Plugins()
    plugins.add(type("Wrong", (), STATED | {hook: hookimpl(lambda self: value)})(), "dist:wrong")
    with pytest.raises(PluginError, match=rf"^plugin dist:wrong: hook {hook} returned .*, expected") as caught:
        plugins.call(hook, **ARGUMENTS[hook])
    assert caught.value.hint and "pip uninstall dist" in caught.value.hint


@pytest.mark.parametrize("hook", ARGUMENTS)
@pytest.mark.parametrize(
    "error", [ValueError("nothing\nthere"), OSError(2, "gone"), SystemExit(0), RecursionError()], ids=lambda e: type(e).__name__
)
def test_an_exception_names_plugin_and_hook(hook: str, error: BaseException) -> None:
    def raising(self: object) -> None:
        raise error

    plugins = Plugins()
    plugins.add(type("Raising", (), STATED | {hook: hookimpl(raising)})(), "dist:raising")
    with pytest.raises(PluginError, match=rf"^plugin dist:raising: hook {hook} raised {type(error).__name__}"):
        plugins.call(hook, **ARGUMENTS[hook])


def test_an_observer_that_raises_is_set_aside(caplog: pytest.LogCaptureFixture) -> None:
    class Raising:
        contract_version = 2

        @hookimpl
        def xboot_event(self, event: Event) -> None:
            raise ValueError("tired")

    first, last, plugins = Good("first"), Good("last"), Plugins()
    plugins.add(first, "dist:first")
    plugins.add(Raising(), "dist:raising")
    plugins.add(last, "dist:last")
    for _ in range(3):
        plugins.call("xboot_event", event=Event(Phase.STAGE, 0.0))
    assert (first.seen, last.seen) == (3, 3)
    assert plugins.broken == {"dist:raising": "hook xboot_event raised ValueError: tired"}
    assert [record.getMessage() for record in caplog.records] == [
        "plugin dist:raising: hook xboot_event raised ValueError: tired; it sees nothing more of this run"
    ]


def test_one_name_twice_leaves_the_first_alone() -> None:
    first, second, plugins = Good("one"), Good("two"), Plugins()
    plugins.add(first, "dist:same")
    plugins.add(second, "dist:same")
    assert "another plugin of this name" in plugins.broken["dist:same"]
    assert list(plugins.backends) == ["one"]
    plugins.call("xboot_event", event=Event(Phase.STAGE, 0.0))
    assert (first.seen, second.seen) == (1, 0)


def test_arguments_may_be_left_out_and_defaults_may_be_added() -> None:
    class Lazy:
        contract_version = 2

        @hookimpl
        def xboot_report_formats(self) -> list[str]:
            return ["mine"]

        @hookimpl
        def xboot_report(self, format: str, extra: int = 3) -> bool | None:
            return True if format == "mine" else None

    plugins = Plugins()
    plugins.add(Lazy(), "dist:lazy")
    assert plugins.broken == {}
    assert dict(plugins.report_formats) == {"mine": "dist:lazy"}
    assert plugins.call("xboot_report", format="mine", result=None, destination=None) == [True]


def test_a_plugin_that_states_no_version_is_of_the_first() -> None:
    """The default must stay 1 when the contract goes on: old plugins were written without stating it."""
    assert BackendInfo("x", "", ()).contract == 1


@pytest.mark.parametrize(
    ("declared", "says"),
    [
        ({"settings": ("kernel",)}, "BackendInfo.settings is ('kernel',), expected a sequence of Setting"),
        ({"settings": (Setting("a.b", "x"),)}, "a name is lower case, digits and hyphens"),
        ({"settings": (Setting("a", "x", "yes"),)}, "`values` a sequence of strings"),
        ({"needs": "gcc"}, "BackendInfo.needs is 'gcc', expected a sequence of Need"),
    ],
)
def test_what_a_backend_declares_is_checked(declared: dict[str, object], says: str) -> None:
    class Odd:
        @hookimpl
        def xboot_backend(self) -> BackendInfo:
            return BackendInfo("odd", "a test", ["i686-linux"], contract=2, **declared)  # type: ignore[arg-type]

    plugins = Plugins()
    plugins.add(Odd(), "dist:odd")
    assert says in plugins.broken["dist:odd"]


def test_a_reporter_names_its_formats() -> None:
    class Silent:
        contract_version = 2

        @hookimpl
        def xboot_report(self, format: str) -> bool | None:
            return None

    plugins = Plugins()
    plugins.add(Silent(), "dist:silent")
    assert "without xboot_report_formats" in plugins.broken["dist:silent"]


def test_a_form_that_calls_itself_another_machine_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks who is independent goes by the name."""
    plugins = Plugins.load()
    other = plugins.machine("bochs")
    monkeypatch.setattr(plugins.machine("qemu"), "at", lambda address: other)
    with pytest.raises(PluginError, match="its form 'ovmf' says that it is the machine bochs"):
        plugins.machine("qemu", "ovmf")
