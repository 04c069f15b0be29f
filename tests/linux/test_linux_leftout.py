"""What is left out of Linux where no option leaves it out: how its files are changed, what that leaves, and that it is said rightly."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from xboot.cache import Cache
from xboot.errors import BackendError
from xboot.plugins import Plugins
from xboot.testing.boot import boot
from xboot.testing.builders import Builders, load_builders
from xboot_linux.kernel import built_kernel
from xboot_linux.leftout import Change, changed, counted, leave_out, left_out, replaced
from xboot_linux.syscalls import offered_syscalls

ROOT = Path(__file__).parents[2]
KERNELS = [("none", "64"), ("unix", "64"), ("loopback", "64"), ("unix", "32")]
MAKEFILE = "obj-y := one.o two.o \\\n\tone-more.o\n"
SOURCE = "int a;\n\nstatic int gone(void)\n{\n}\n\nstatic int stays(void)\n{\n}\n"
A_TEXT = Change("Makefile", "one.o", "", "", "")
LINES = Change("source.c", "", "static int gone(", "static int stays(", "")


def test_a_text_goes_as_a_whole_word() -> None:
    assert changed(MAKEFILE, A_TEXT) == "obj-y :=  two.o \\\n\tone-more.o\n"
    assert changed(MAKEFILE, replace(A_TEXT, text="two.o", instead="ours.o")) == "obj-y := one.o ours.o \\\n\tone-more.o\n"


def test_lines_go_up_to_one_that_stays() -> None:
    assert changed(SOURCE, LINES) == "int a;\n\nstatic int stays(void)\n{\n}\n"
    assert changed(SOURCE, replace(LINES, instead="int b;\n")) == "int a;\n\nint b;\nstatic int stays(void)\n{\n}\n"


@pytest.mark.parametrize(
    ("text", "change", "what"),
    [
        ("obj-y := more.o\n", A_TEXT, "Makefile has .one.o. 0 times; expected once"),
        ("obj-y := one.o one.o\n", A_TEXT, "Makefile has .one.o. 2 times; expected once"),
        (SOURCE + SOURCE, LINES, "source.c has 'static int gone.' 2 times; expected once"),
        ("int a;\n", LINES, "source.c has 'static int gone.' 0 times; expected once"),
        ("static int gone(void)\n{\n}\n", LINES, "has no line that begins with 'static int stays.' after"),
    ],
)
def test_another_linux_is_refused(text: str, change: Change, what: str) -> None:
    with pytest.raises(BackendError, match=what):
        changed(text, change)


def test_a_tree_without_the_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BackendError, match=r"Linux has no file arch/x86/Kconfig, which is to be changed for: counters of events"):
        leave_out(tmp_path, "unix", "64")


@pytest.mark.parametrize(("net", "bits"), KERNELS)
def test_what_the_list_names_must_be_there_and_not_be_compiled(tmp_path: Path, net: str, bits: str) -> None:
    names = [name for entry in left_out(net, bits) for name in entry.files]
    assert len(names) == len(set(names))
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("int one;\n/* none */\nint two;\n")
    assert sum(counted(tmp_path, net, bits, ["kernel/fork.c"]).values()) == 2 * len(names)
    with pytest.raises(BackendError, match=f"left out by the list, and compiled all the same: {names[0]}"):
        counted(tmp_path, net, bits, [names[0]])
    (tmp_path / names[0]).unlink()
    with pytest.raises(BackendError, match=f"Linux has no {names[0]}, said to be left out"):
        counted(tmp_path, net, bits, [])


def test_each_entry_has_a_reason_and_what_takes_a_place_stands_under_one_name() -> None:
    assert all(entry.why and entry.files for net, bits in KERNELS for entry in left_out(net, bits))
    usual = {entry.what for entry in left_out("unix", "64")}
    assert all(usual > {entry.what for entry in left_out(net, bits)} for net, bits in KERNELS if (net, bits) != ("unix", "64"))
    assert set(replaced("none", "64")) < set(replaced("unix", "32")) < set(replaced("unix", "64"))


@pytest.mark.apt
@pytest.mark.compiler
def test_the_page_has_the_lines_that_were_counted() -> None:
    tool = _tool("left_out")
    page = tool.PAGE.read_text()
    assert tool.page(page, tool.lines()) == page, "run `make figures`"


@pytest.mark.apt
@pytest.mark.compiler
def test_no_call_that_builders_use_is_left_out() -> None:
    calls = set(offered_syscalls(built_kernel(Cache(), lambda event: None).path))
    assert calls >= NEEDED
    assert not calls & {"perf_event_open", "msgget", "bpf", "io_uring_setup", "userfaultfd", "keyctl"}


# One or two for each part of the kernel that a change of the list could take along.
NEEDED = frozenset(
    """
    clone execve wait4 exit_group kill rt_sigaction sigaltstack ptrace prctl seccomp setpriority sched_setscheduler sched_getattr
    mmap mremap mprotect madvise mlock mincore brk memfd_create shmget semtimedop
    openat openat2 statx renameat2 linkat getdents64 copy_file_range sendfile splice fallocate flock utimensat
    pipe2 poll ppoll select epoll_pwait eventfd2 signalfd4 timerfd_create socketpair sendmsg accept4 getsockopt
    clock_gettime clock_nanosleep timer_create timer_settime setitimer nanosleep gettimeofday adjtimex times getrusage
    futex set_robust_list get_robust_list set_tid_address arch_prctl getrandom sysinfo uname prlimit64 capget
    pidfd_open close_range mount pivot_root unshare setns
    """.split()  # noqa: SIM905 - a list with one a line is six times as long
)


@pytest.mark.boot
@pytest.mark.apt
@pytest.mark.compiler
@pytest.mark.parametrize("kernel", ["built", "distro"])
def test_filters_of_system_calls_compute_what_debians_linux_does(
    xboot_plugins: Plugins, xboot_builders: Callable[[str], Builders], tmp_path: Path, kernel: str
) -> None:
    """Ours runs them by itself; Debian's translates them. The same program asks both."""
    program = load_builders(Path(__file__).parent / "programs")["filters"]
    arguments = [] if kernel == "distro" else ["left out"]  # then it asks for what Debian's has, and ours has not
    booted = boot(
        xboot_builders("i686-linux").script(program, arguments), "linux", tmp_path, plugins=xboot_plugins, settings={"kernel": kernel}
    )
    assert booted.verdict.ok, booted.verdict.console_tail


def _tool(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
