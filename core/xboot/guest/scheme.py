"""The Scheme executor: Guile from Debian, trimmed to what is really loaded, and the modules of `scheme/`, compiled.

Nothing is installed: the packages are unpacked into the cache, and Guile is started through their own `ld.so`, here to
compile and in the guest to run. The guest's kernel starts it with `kernel_words()` at the end of its command line, so
there is no launcher and nothing in Debian's files is changed.

Two trees, so that what came as a binary and what was compiled here are measured apart. `/xboot/guile` in the guest is Debian's: `guile`,
`lib/` (ld.so and libraries), `gconv/` (one encoding), `ccache/` (Guile's compiled modules). `/xboot/scheme` is ours: `start.scm`, `xboot/`
(the compiled modules).
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from xboot import nar
from xboot.cache import Cache, file_sha256
from xboot.debian import DebianPackages
from xboot.errors import BackendError
from xboot.model import Artifact, BuildTool, Role, Script
from xboot.parts.base import handed_out
from xboot.toolroot import DEBIAN_BUILDS

__all__ = ["MODULES", "SCHEME", "build_scheme_executor", "guile_script", "kernel_words"]

SCHEME = Path(__file__).parent / "scheme"
"""The folder of the executor's sources."""

MODULES = ("sha256", "system", "nar", "script", "channel", "executor")
"""The modules of `(xboot …)`, each after those that it uses."""

_GUEST = "/xboot/guile"
_OURS = "/xboot/scheme"
_LIBRARIES = {
    "libc6": ("ld-linux-x86-64.so.2", "libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2"),
    "libcrypt1": ("libcrypt.so.1",),
    "libffi8": ("libffi.so.8",),
    "libgc1": ("libgc.so.1",),
    "libgmp10": ("libgmp.so.10",),
    "libunistring2": ("libunistring.so.2",),
    "guile-3.0-libs": ("libguile-3.0.so.1",),
}
_LOADER = "ld-linux-x86-64.so.2"
# What Guile opens when it runs the executor, found by tracing its system calls.
_COMPILED = (
    "ice-9/boot-9", "ice-9/command-line", "ice-9/control", "ice-9/copy-tree", "ice-9/deprecated", "ice-9/eval", "ice-9/exceptions",
    "ice-9/futures", "ice-9/match", "ice-9/networking", "ice-9/ports", "ice-9/posix", "ice-9/psyntax-pp", "ice-9/q", "ice-9/threads",
    "rnrs/bytevectors", "srfi/srfi-1", "srfi/srfi-11", "srfi/srfi-4", "srfi/srfi-9", "srfi/srfi-9/gnu",
    "system/base/ck", "system/foreign", "system/foreign-library",
)  # fmt: skip


def kernel_words() -> tuple[str, ...]:
    """The end of the kernel's command line: what it starts as process 1, with which environment and arguments."""
    compiled = f"{_GUEST}/ccache:{_OURS}"
    environment = ("GUILE_AUTO_COMPILE=0", "GC_MARKERS=1", "LC_ALL=C", f"GCONV_PATH={_GUEST}/gconv",
                   f"GUILE_SYSTEM_PATH={_GUEST}", f"GUILE_SYSTEM_COMPILED_PATH={compiled}")  # fmt: skip
    return (
        f"rdinit={_GUEST}/lib/{_LOADER}", *environment, "--",
        "--library-path", f"{_GUEST}/lib", f"{_GUEST}/guile", "--no-auto-compile", "-s", f"{_OURS}/start.scm",
    )  # fmt: skip


def build_scheme_executor(cache: Cache) -> dict[str, Artifact]:
    """The trees as artifacts, `guile` and `scheme` (each one's `path` is a folder), from the cache or made now (about half a minute).

    Raises MissingToolError when Debian's packages cannot be had, BackendError when they are not what is expected.
    """
    packages = DebianPackages(cache)
    unpacked = {name: packages.unpacked(name) for name in _LIBRARIES}
    sources = [SCHEME / "xboot" / f"{name}.scm" for name in MODULES] + [SCHEME / "start.scm"]
    key = {path.name: file_sha256(path) for path in sources} | {f"deb {n}": deb.sha256 for n, (_, deb) in unpacked.items()}
    roots = {name: root for name, (root, _) in unpacked.items()}
    folder = cache.folder("scheme-executor", key | {"recipe": file_sha256(Path(__file__))}, lambda work: _build(roots, work))
    guile, ours = (nar.nar_hash(folder / name) for name in ("guile", "scheme"))
    version = "Guile " + unpacked["guile-3.0-libs"][1].version
    debs = tuple(f"{deb.package} {deb.version} {deb.sha256}" for _, deb in unpacked.values())
    packages_used = tuple(
        BuildTool(f"Debian {deb.package}", deb.version, deb.sha256, deb.path.stat().st_size, deb.path.name) for _, deb in unpacked.values()
    )
    made = {
        "guile": Artifact(
            name="guile", path=folder / "guile", sha256=guile.sha256, size=guile.size, role=Role.EXECUTOR,
            origin="Debian: " + ", ".join(debs), version=version, lines_method="opaque", prebuilt=True, made_by=(DEBIAN_BUILDS,),
        ),
        "scheme": Artifact(
            name="scheme", path=folder / "scheme", sha256=ours.sha256, size=ours.size, role=Role.EXECUTOR, origin="xboot",
            version=f"Scheme, {version}", built_with=debs, source_files=sources, lines_method="manifest",
            made_by=packages_used,
        ),
    }  # fmt: skip
    handed_out(*made.values())
    return made


def _build(roots: Mapping[str, Path], work: Path) -> None:
    tree, ours = work / "guile", work / "scheme"
    (tree / "lib").mkdir(parents=True)
    for package, libraries in _LIBRARIES.items():
        for name in libraries:
            shutil.copyfile(_find(roots[package], name), tree / "lib" / name)
    (tree / "lib" / _LOADER).chmod(0o755)
    shutil.copyfile(roots["guile-3.0-libs"] / "usr/lib/x86_64-linux-gnu/guile/3.0/bin/guile", tree / "guile")
    (tree / "guile").chmod(0o755)
    # Guile's strings are Latin-1 inside; libc converts even those to ASCII by a module that it loads.
    (tree / "gconv").mkdir()
    (tree / "gconv" / "gconv-modules").write_text("module ISO-8859-1// INTERNAL ISO8859-1 1\nmodule INTERNAL ISO-8859-1// ISO8859-1 1\n")
    shutil.copyfile(_find(roots["libc6"], "ISO8859-1.so"), tree / "gconv" / "ISO8859-1.so")
    ccache = roots["guile-3.0-libs"] / "usr/lib/x86_64-linux-gnu/guile/3.0/ccache"
    for name in _COMPILED:
        target = tree / "ccache" / f"{name}.go"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ccache / f"{name}.go", target)
    (ours / "xboot").mkdir(parents=True)
    shutil.copyfile(SCHEME / "start.scm", ours / "start.scm")
    whole = roots["guile-3.0-libs"] / "usr/share/guile/3.0"
    for name in MODULES:
        # by a relative name: no path of this machine gets into the code
        program = (
            "(use-modules (system base compile))"
            f'(compile-file "xboot/{name}.scm" #:output-file "{ours}/xboot/{name}.go" #:opts (quote (#:warnings? #f)))'
        )
        paths = {"GUILE_SYSTEM_PATH": str(whole), "GUILE_SYSTEM_COMPILED_PATH": f"{tree}/ccache:{ours}:{ccache}", "GUILE_LOAD_PATH": "."}
        _guile(tree, paths, program)


def _guile(tree: Path, variables: Mapping[str, str], program: str) -> None:
    lib = tree / "lib"
    command = [str(lib / _LOADER), "--library-path", str(lib), str(tree / "guile"), "--no-auto-compile", "-c", program]
    environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "GUILE_AUTO_COMPILE": "0", **variables}
    done = subprocess.run(command, cwd=SCHEME, env=environment, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode:
        raise BackendError("Guile refuses the executor's source: " + " ".join(done.stderr.split())[:400])


def _find(root: Path, name: str) -> Path:
    found = sorted(path for path in root.rglob(name) if path.is_file() and "share" not in path.parts)
    if not found:
        raise BackendError(f"Debian's packages hold no {name}", hint="is this release of Debian much newer than 12?")
    return found[0]


def guile_script(script: Script) -> str:
    """The whole build as one Guile program: the executor's modules, then the script as a datum, then the call that runs it."""
    head = _HEAD.format(sha256=hashlib.sha256(script.text).hexdigest(), sources=len(script.sources), steps=len(script.steps))
    modules = [(SCHEME / "xboot" / f"{name}.scm").read_text() for name in MODULES]
    data = f"(define-module (xboot build)\n  #:use-module (xboot executor))\n\n(define script '\n{script.text.decode('ascii')})\n"
    return "\n".join((head, *modules, data, _TAIL))


_HEAD = """\
#!/usr/bin/guile \\
--no-auto-compile -s
!#
;;; A whole build as one program: {sources} sources, {steps} steps. The script's SHA-256 is
;;; {sha256}.
;;;
;;; It runs as root (it makes device nodes and gives up rights), on x86_64 Linux with Guile 3.0, in a scratch folder
;;; FOLDER that belongs to root:
;;;
;;;   mkdir -p FOLDER/store
;;;   cp -a STORE/NAME FOLDER/store/       for every `(source "STORE/NAME" ...)` of the script below; for a recipe
;;;                                        `xboot derive --store FOLDER/store RECIPE` does it
;;;   GC_MARKERS=1 guile --no-auto-compile -s build.scm FOLDER
;;;
;;; Nothing else is needed: no xboot, no package manager. A chroot with Guile in it and /proc mounted will do. Builders
;;; are kept in by uid, chroot and namespaces on the kernel that runs this, so let that be a machine you can lose;
;;; /proc/sys/fs/protected_hardlinks must be 1, as distributions have it.
;;;
;;; Every source is checked first. Then each step's builder runs as uid 1000 in its own root, FOLDER/root, and PID
;;; namespace; results go to standard output, one line each, what builders print to standard error. What was built
;;; ends in FOLDER/store. The exit status is 0 when all steps ran. After a failure, remove FOLDER before another try.
;;;
;;; First the modules: SHA-256, system calls, NAR, script, reports, steps. At the end: the build itself.

;;; What follows is read from here on and compiled in memory, form by form: interpreted, hashing would take a hundred
;;; times as long. (Guile cannot compile several modules with variables as one file.)
(use-modules (system base compile))
(let ((port (current-load-port)))
  (unless port
    (display "usage: guile --no-auto-compile -s build.scm FOLDER (see the head of this file)\\n" (current-error-port))
    (exit 2))
  (let loop ((form (read port)))
    (unless (eof-object? form)
      (if (and (pair? form) (eq? 'define-module (car form)))
          (primitive-eval form)         ;the module that is current from here on
          (compile form #:env (current-module) #:opts '(#:warnings? #f)))
      (loop (read port)))))

"""

_TAIL = """\
(let ((arguments (command-line)))
  (if (= 2 (length arguments))
      (run-by-hand script (cadr arguments))
      (begin
        (display "usage: guile --no-auto-compile -s build.scm FOLDER (see the head of this file)\\n" (current-error-port))
        (exit 2))))
"""
