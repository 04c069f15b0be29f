"""What a daemon gives to every builder, whatever its derivation says: environment, build directory, files in /etc.

Two flavours, told apart by the store directory. Nix: `LocalDerivationGoal::initEnv`, `initTmpDir` and the chroot's
set-up in Nix 2.8 with `sandbox = true`; Guix: the same places in guix-daemon 1.4. tests/nix holds ours against a real
nix.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping

from xboot._records import dataclass
from xboot.model import Derivation
from xboot.storepath import store_name

_UID, _GID = 1000, 100

Environment = dict[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Flavour:
    """One daemon's manners. `last` overrides the derivation's own environment."""

    name: str
    cores: bytes
    last: tuple[tuple[bytes, bytes], ...]
    files: tuple[tuple[str, bytes], ...]

    def build_directory(self, drv: Derivation) -> str:
        """Where the builder starts."""
        return "/build" if self.name == "nix" else f"/tmp/guix-build-{store_name(drv.path)[33:]}-0"  # noqa: S108 - the path in the guest

    def environment(
        self, store_dir: str, own: Mapping[bytes, bytes], cwd: str, *, fixed: bool, impure: Iterable[bytes] = ()
    ) -> Environment:
        """The whole environment; `own` are the bindings that the derivation passes through it. `impure` are the variables that a `fixed`
        output asks of the daemon (impureEnvVars): it has none of them, and a daemon gives the empty string then.
        """
        env = {**own, **_places(cwd)}
        if fixed:
            env[b"NIX_OUTPUT_CHECKED"] = b"1"
            env |= dict.fromkeys(impure, b"")
        env |= self.last
        env.setdefault(b"PATH", b"/path-not-set")
        env.setdefault(b"HOME", b"/homeless-shelter")
        env.setdefault(b"NIX_STORE", store_dir.encode())
        env.setdefault(b"NIX_BUILD_CORES", self.cores)
        return env


@functools.lru_cache(maxsize=4)
def _places(cwd: str) -> Environment:
    return dict.fromkeys((b"NIX_BUILD_TOP", b"TMPDIR", b"TEMPDIR", b"TMP", b"TEMP", b"PWD"), cwd.encode())


_HOSTS = ("/etc/hosts", b"127.0.0.1 localhost\n::1 localhost\n")

NIX = Flavour(
    "nix",
    cores=b"1",  # the guest has one processor; nix gives the host's number unless its `cores` setting says otherwise
    last=((b"NIX_LOG_FD", b"2"), (b"TERM", b"xterm-256color")),
    files=(
        ("/etc/group", f"root:x:0:\nnixbld:!:{_GID}:\nnogroup:x:65534:\n".encode()),
        _HOSTS,
        (
            "/etc/passwd",
            f"root:x:0:0:Nix build user:/build:/noshell\nnixbld:x:{_UID}:{_GID}:Nix build user:/build:/noshell\n"
            "nobody:x:65534:65534:Nobody:/:/noshell\n".encode(),
        ),
    ),
)

GUIX = Flavour(
    "guix",
    cores=b"0",
    last=(),
    files=(
        ("/etc/group", f"nixbld:!:{_GID}:\n".encode()),
        _HOSTS,
        ("/etc/passwd", f"nixbld:x:{_UID}:{_GID}:Nix build user:/:/noshell\nnobody:x:65534:65534:Nobody:/:/noshell\n".encode()),
    ),
)


def flavour_of(store_dir: str) -> Flavour:
    """Guix for a store whose parent is called `gnu`, else Nix."""
    return GUIX if store_dir.split("/")[-2:] == ["gnu", "store"] else NIX
