"""The Guile that goes into the guest, on this machine; and guests that the Scheme executor runs."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from xboot.cache import Cache
from xboot.debian import DebianPackages
from xboot.guest.scheme import build_scheme_executor
from xboot.model import Artifact, Source

HERE = Path(__file__).parent
EXECUTOR_TESTS = HERE.parent / "executor"
sys.path.append(str(EXECUTOR_TESTS))  # guest_harness, and the C executor's tests, some of which are run here again

from guest_harness import Guest  # noqa: E402  # found by the line above

_spec = importlib.util.spec_from_file_location("executor_fixtures", EXECUTOR_TESTS / "conftest.py")
assert _spec is not None and _spec.loader is not None
_fixtures = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_fixtures)
cache, kernel, shell, shell32, driver = (getattr(_fixtures, name) for name in ("cache", "kernel", "shell", "shell32", "driver"))

Ask = Callable[..., str]


@dataclass(frozen=True)
class Guile:
    """The executor's trees, and how it is started: `command` takes a program's arguments."""

    tree: Path
    modules: Path
    libraries: Path
    """All of Debian's modules: the tests use more of them than the executor does."""

    def command(self, *arguments: str | Path) -> list[str]:
        lib = self.tree / "lib"
        words = [lib / "ld-linux-x86-64.so.2", "--library-path", lib, self.tree / "guile", "--no-auto-compile", *arguments]
        return [str(word) for word in words]

    @property
    def environment(self) -> Mapping[str, str]:
        """Finds the executor's modules, compiled, and the rest of Guile's."""
        compiled = f"{self.tree}/ccache:{self.modules}:{self.libraries / 'usr/lib/x86_64-linux-gnu/guile/3.0/ccache'}"
        whole = str(self.libraries / "usr/share/guile/3.0")
        return {
            "LC_ALL": "C",
            "GC_MARKERS": "1",
            "GUILE_AUTO_COMPILE": "0",
            "GUILE_SYSTEM_PATH": whole,
            "GUILE_SYSTEM_COMPILED_PATH": compiled,
        }


@pytest.fixture(scope="session")
def scheme(cache: Cache) -> dict[str, Artifact]:
    return build_scheme_executor(cache)


@pytest.fixture(scope="session")
def guile(cache: Cache, scheme: dict[str, Artifact]) -> Guile:
    return Guile(scheme["guile"].path, scheme["scheme"].path, DebianPackages(cache).unpacked("guile-3.0-libs")[0])


@pytest.fixture(scope="session")
def ask(guile: Guile) -> Iterator[Ask]:
    """serve.scm: a question's words → its answer."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(guile.command("-s", HERE / "serve.scm"), env=guile.environment, text=True, **pipes) as process:
        assert process.stdin is not None and process.stdout is not None

        def answer(*words: str | Path) -> str:
            process.stdin.write(" ".join(map(str, words)) + "\n")
            process.stdin.flush()
            return process.stdout.readline().rstrip("\n")

        yield answer
        process.stdin.close()


@pytest.fixture
def guest(kernel: Artifact, scheme: dict[str, Artifact], shell: Source, tmp_path: Path) -> Guest:
    """What the C executor's tests call `guest`, with the Scheme executor."""
    return Guest({"kernel": kernel, **scheme}, tmp_path, shell)


@pytest.fixture
def each_guest(guest: Guest) -> Guest:
    return guest
