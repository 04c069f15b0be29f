"""Running a program in a toolroot: it sees that folder as /, read-only, its work as /build, and nothing else of this machine.

bubblewrap does that; where there is none, `unshare` with a little program of ours (inside.py). Both need that user namespaces are allowed,
or root. TCC's small toolroot does without: its compiler starts no other program, so the toolroot's own loader, told where the libraries
are, runs it anywhere. The environment, the umask and (but for the last way) the host's name are fixed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cache as remembered
from pathlib import Path

from xboot.errors import MissingToolError
from xboot.toolroot.tree import BUILD_FOLDER

__all__ = ["ENVIRONMENT", "check_installed", "command_in", "way_in"]

ENVIRONMENT = {
    "PATH": "/usr/bin:/usr/sbin",
    "HOME": "/build",
    "LC_ALL": "C",
    "TZ": "UTC",
    "SOURCE_DATE_EPOCH": "1",
    "KBUILD_BUILD_TIMESTAMP": "1970-01-01T00:00:00Z",
    "KBUILD_BUILD_USER": "xboot",
    "KBUILD_BUILD_HOST": "xboot",
    "KBUILD_BUILD_VERSION": "1",
}
"""All that a program in the toolroot finds in its environment."""

_INSIDE = Path(__file__).with_name("inside.py")
_PROBE = ("/lib64/ld-linux-x86-64.so.2", "--version")  # every toolroot has the loader of its programs
_LIBRARIES = "/usr/lib/x86_64-linux-gnu"
_Way = Callable[[Path, Path, str, Mapping[str, str], Sequence[str]], list[str]]


def command_in(root: Path, work: Path, at: str, command: Sequence[str], environment: Mapping[str, str] | None = None) -> list[str]:
    """The command line that runs `command` in the toolroot `root`, in the folder `at` of `work`, which it sees as /build. It is to be
    started in that folder, with ENVIRONMENT.

    Raises MissingToolError when this machine allows no way to do that.
    """
    return _WAYS[way_in(root)](root, work, at, ENVIRONMENT | dict(environment or {}), command)


def check_installed() -> None:
    """Raise MissingToolError when no program is here that enters a toolroot with a shell, before hundreds of megabytes are brought."""
    programs = list(filter(None, _PROGRAMS.values()))
    if not any(map(shutil.which, programs)):
        raise _no_way_in([f"{program} is not installed" for program in programs])


@remembered
def way_in(root: Path) -> str:
    """The name of the first way that works here: `bubblewrap`, `unshare` or `loader`. Raises MissingToolError that says what was tried."""
    tried = []
    for name, way in _WAYS.items():
        program = _PROGRAMS[name]
        if program and shutil.which(program) is None:
            tried.append(f"{program} is not installed")
            continue
        if not program and (root / "usr/bin/sh").exists():
            continue  # its programs run each other, by names that would be this machine's
        done = subprocess.run(
            way(root, root / "tmp", "", ENVIRONMENT, _PROBE), capture_output=True, text=True, errors="replace",
            stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip
        if done.returncode == 0:
            return name
        tried.append(f"{program}: {' '.join(done.stderr.split())[-160:]}")
    raise _no_way_in(tried)


def _no_way_in(tried: Sequence[str]) -> MissingToolError:
    return MissingToolError(
        f"locked programs cannot be run apart from this machine's programs: {'; '.join(tried)}",
        hint="install bubblewrap, and allow user namespaces (or be root); or build with this machine's compilers: --set toolchain=host",
    )


def _bubblewrap(root: Path, work: Path, at: str, environment: Mapping[str, str], command: Sequence[str]) -> list[str]:
    variables = [word for name, value in environment.items() for word in ("--setenv", name, value)]
    return [
        shutil.which("bwrap") or "bwrap",
        "--unshare-all", "--unshare-user", "--uid", "0", "--gid", "0", "--hostname", "xboot", "--die-with-parent", "--new-session",
        "--cap-drop", "ALL", "--clearenv", *variables,
        "--ro-bind", str(root), "/", "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp",  # noqa: S108 - its own
        "--bind", str(work), f"/{BUILD_FOLDER}", "--chdir", str(Path("/", BUILD_FOLDER, at)), "--", *command,
    ]  # fmt: skip


def _unshare(root: Path, work: Path, at: str, environment: Mapping[str, str], command: Sequence[str]) -> list[str]:
    user = () if os.geteuid() == 0 else ("--user", "--map-root-user")
    variables = [f"{name}={value}" for name, value in environment.items()]
    return [
        shutil.which("unshare") or "unshare", *user, "--mount", "--pid", "--net", "--ipc", "--uts", "--fork", "--kill-child", "--",
        sys.executable, "-I", "-S", str(_INSIDE), str(root), str(work), str(Path("/", BUILD_FOLDER, at)), str(len(variables)),
        *variables, *command,
    ]  # fmt: skip


def _loader(root: Path, work: Path, at: str, environment: Mapping[str, str], command: Sequence[str]) -> list[str]:
    own = f"{root}{_LIBRARIES}"
    words = [word.replace(f"{_LIBRARIES}/tcc", f"{own}/tcc") for word in command[1:]]
    return [f"{own}/ld-linux-x86-64.so.2", *(() if command is _PROBE else ("--library-path", own, f"{root}/usr/bin/{command[0]}")), *words]


_WAYS: dict[str, _Way] = {"bubblewrap": _bubblewrap, "unshare": _unshare, "loader": _loader}
_PROGRAMS = {"bubblewrap": "bwrap", "unshare": "unshare", "loader": ""}
