"""The tools, libraries and names that the image's build and its measuring share."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from xboot.cache import file_sha256
from xboot.errors import BackendError, MissingToolError
from xboot.parts import drifted

GUEST = Path(__file__).parent / "guest"
LIBRARIES = ("cstruct", "mirage-crypto")
# boot.o comes first: its note and entry lead the image
OBJECTS = ("boot", "trap", "frames", "aspace", "onebyte", "protect", "nonce", "cpu", "serial", "libc", "main", "stubs")
REGIONS_FILE, SOURCES_FILE, MEMBERS_FILE = "regions.json", "sources.json", "members.json"
TOOLS = {"gcc": "gcc", "ld": "binutils", "strip": "binutils", "nm": "binutils", "ocamlfind": "ocaml-findlib", "ocamlopt": "ocaml-nox"}
_PACKAGES = "ocaml-nox ocaml-findlib libcstruct-ocaml-dev libmirage-crypto-ocaml-dev musl-dev gcc binutils"


def library_archives() -> dict[str, list[Path]]:
    """Component → the archives of C code that are linked: the OCaml runtime, the libraries' stubs, musl, gcc's support library."""
    where = Path(output(["ocamlfind", "ocamlc", "-where"]))
    stubs = [path for name in LIBRARIES for path in sorted(_library(name).glob("lib*_stubs.a"))]
    support = Path(output(["gcc", "-print-libgcc-file-name"]))
    return {"ocaml-runtime": [where / "libasmrun.a"], "mirage-libraries": stubs, "musl": [_musl()], "libgcc": [support]}


def toolchain() -> dict[str, str]:
    """Everything outside of the guest folder that the image depends on: name → version or SHA-256. Raises MissingToolError."""
    for program, package in TOOLS.items():
        if shutil.which(program) is None:
            raise MissingToolError(f"{program} is not installed, so the mirage image cannot be built", hint=f"apt-get install {package}")
    for name in LIBRARIES:
        if subprocess.run(["ocamlfind", "query", name], capture_output=True, check=False).returncode:
            raise MissingToolError(
                f"the OCaml library {name} is not installed, so the mirage image cannot be built", hint=f"apt-get install {_PACKAGES}"
            )
    found = {"gcc": output(["gcc", "--version"]), "ld": output(["ld", "--version"]), "ocaml": output(["ocamlfind", "ocamlopt", "-version"])}
    for tool in (found["gcc"], f"OCaml {found['ocaml']} with its libraries"):
        drifted(f"{tool} of this machine")
    archives = [path for paths in library_archives().values() for path in paths]
    archives += [path for name in LIBRARIES for path in sorted(_library(name).glob("*.a"))]
    return found | {path.name: file_sha256(path) for path in archives}


def output(command: Sequence[str], folder: Path | None = None) -> str:
    """What a command prints (of a version the first line). Raises BackendError when it fails."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise BackendError(
            f"{' '.join(command[:3])} failed (status {done.returncode}): {done.stderr.strip()[-500:]}", hint=f"apt-get install {_PACKAGES}"
        )
    return done.stdout.splitlines()[0] if "--version" in command else done.stdout.strip()


def _library(name: str) -> Path:
    return Path(output(["ocamlfind", "query", name]))


def _musl() -> Path:
    for path in (Path("/usr/lib/x86_64-linux-musl/libc.a"), Path("/usr/lib/musl/lib/libc.a")):
        if path.exists():
            return path
    raise MissingToolError("musl's libc.a is not installed, so the mirage image cannot be linked", hint="apt-get install musl-dev")
