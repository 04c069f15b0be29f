"""What a test needs beside Python is said by its marks, and held: a program that its marks do not name is not there for it.

So `make check` can leave out whatever needs a kernel, nix, Debian's packages, a compiler or a browser, and nothing slips back in.
"""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import tempfile
from pathlib import Path

import pytest

PROGRAMS = {
    "boot": ("qemu-system-x86_64", "qemu-system-i386"),
    "nix": ("nix", "nix-store", "nix-build", "nix-instantiate", "nix-hash"),
    "apt": ("apt-get", "apt-cache", "npm"),
    "compiler": (
        "gcc",
        "cc",
        "clang",
        "tcc",
        "i386-tcc",
        "x86_64-tcc",
        "ocamlfind",
        "ocamlopt",
        "make",
        "frama-c",
        "clang-format",
        "csmith",
        "guile",
    ),
    "browser": ("chromium",),
}
"""Mark → programs that only tests with this mark may run."""

_IMPLIED = {"boot": ("apt", "compiler")}  # an image is built from packages before it boots
_REFUSAL = 97


def marks_of(item: pytest.Item) -> set[str]:
    """The needs that a test's marks name, with those that follow from them."""
    named = {mark.name for mark in item.iter_markers()} & PROGRAMS.keys()
    return named | {implied for name in named for implied in _IMPLIED.get(name, ())}


def hide(path: str, needs: set[str]) -> str:
    """`path`, a PATH, with the programs of all other needs replaced by a sentence and the status 97."""
    return f"{_shims(frozenset(needs))}{os.pathsep}{path}"


@functools.cache
def _shims(needs: frozenset[str]) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="xboot-hidden-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for need, programs in PROGRAMS.items():
        for program in () if need in needs else programs:
            script = folder / program
            script.write_text(f"#!/bin/sh\necho 'a test without the mark {need!r} ran {program}' >&2\nexit {_REFUSAL}\n")
            script.chmod(0o755)
    return folder
