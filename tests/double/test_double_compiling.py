"""TCC's source, compiled by three compilers and again by what each of them made: one file. And a compiler that does not do as it should is
found, and named (docs/double-compiling.md).
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from xboot.cache import Cache
from xboot.debian import DebianPackages
from xboot.errors import BackendError, MissingToolError
from xboot.guest import own_tcc
from xboot.guest.own_tcc import OwnTcc, obtain_own_tcc
from xboot.guest.tcc import obtain_tcc, run_tcc

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

import double_compiling
from double_compiling import COMPILERS, different, page, twice

pytestmark = [pytest.mark.compiler, pytest.mark.apt]

# Stands before a compiler, and has it compile a TCC in which one constant is another: programs still run, with frames on the stack that
# are multiples of eight bytes, not of four.
_WRAPPER = """#!/bin/sh
cp -r tcc changed
sed 's/v = (-loc + 3) & -4;/v = (-loc + 7) \\& -8;/' tcc/i386-gen.c > changed/i386-gen.c
cmp -s tcc/i386-gen.c changed/i386-gen.c && exit 99
for word; do
    shift
    [ "$word" = tcc/tcc.c ] && word=changed/tcc.c
    set -- "$@" "$word"
done
"$@"
status=$?
rm -r changed
exit $status
"""


@pytest.fixture(scope="module")
def tarball() -> Path:
    (found,) = DebianPackages(Cache()).source("tcc").tarballs
    return found.path


@pytest.fixture(scope="module")
def tcc() -> OwnTcc:
    return obtain_own_tcc(DebianPackages(Cache()))


@pytest.fixture(scope="module")
def digests(tarball: Path, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    return {name: twice(command, tarball, tmp_path_factory.mktemp(name)) for name, command in COMPILERS.items()}


def test_three_compilers_come_to_one_tcc_and_images_are_made_with_it(digests: Mapping[str, str], tcc: OwnTcc) -> None:
    assert set(digests) == {"gcc", "clang", "i386-tcc"}
    assert different({**digests, "xboot": tcc.sha256}) == ""


def test_the_published_digest_is_its(tcc: OwnTcc) -> None:
    text = double_compiling.PAGE.read_text()
    assert tcc.sha256 in text
    assert page(text, tcc) == text, "run `make figures`, and commit what it writes"
    assert page(text.replace(tcc.sha256, "0" * 64), tcc) == text


@pytest.mark.parametrize("wrapped", sorted(COMPILERS))
def test_a_compiler_that_changes_one_constant_is_found_and_named(
    wrapped: str, digests: Mapping[str, str], tarball: Path, tmp_path: Path
) -> None:
    wrapper = tmp_path / "wrapper"
    wrapper.write_text(_WRAPPER)
    wrapper.chmod(0o755)
    (tmp_path / "tree").mkdir()
    found = {**digests, wrapped: twice([str(wrapper), *COMPILERS[wrapped]], tarball, tmp_path / "tree")}
    others = " and ".join(name for name in COMPILERS if name != wrapped)
    assert different(found) == f"compiled twice, TCC is another with {wrapped} than with {others}"


def test_when_all_differ_nobody_is_accused() -> None:
    assert different({"a": "1", "b": "2"}) == "no two compilers come to the same TCC: a, b"


def test_a_first_compiler_that_is_not_what_its_source_says_makes_no_image(
    monkeypatch: pytest.MonkeyPatch, tarball: Path, tmp_path: Path
) -> None:
    """Not even when it is the locked one: what is built with is held to be its own offspring."""
    real = own_tcc.compile_tcc
    made: list[Path] = []

    def changing(run: own_tcc.Run, tree: Path) -> Path:
        source = tree / "tcc" / "i386-gen.c"
        text = source.read_text()
        source.write_text(text if made else text.replace("v = (-loc + 3) & -4;", "v = (-loc + 7) & -8;"))
        made.append(real(run, tree))
        source.write_text(text)
        return made[-1]

    monkeypatch.setattr(own_tcc, "compile_tcc", changing)
    with pytest.raises(BackendError, match="is not the TCC that compiled it"):
        obtain_own_tcc(DebianPackages(_beside(tmp_path)))
    assert len(made) == 3


def _beside(folder: Path) -> Cache:
    """A cache with the parts of the usual one, and nothing made."""
    cache = Cache(folder / "cache")
    cache.root.mkdir()
    (cache.root / "parts").symlink_to(Cache().root / "parts")
    return cache


def test_floating_constants_are_exact_or_refused(tcc: OwnTcc, tmp_path: Path) -> None:
    """Held against Debian's TCC, which asks glibc. TCC's own sources have whole numbers up to 2^64, and no others."""
    exact = [
        "0.0",
        "1.",
        "-1.0",
        "16777217.0f",
        "4294967296.0",
        "9007199254740993.0",
        "0018446744073709551615.0",
        "18446744073709551616.000L",
    ]
    kinds = {"f": "float", "L": "long double"}
    source = "".join(f"{kinds.get(constant[-1], 'double')} c{at} = {constant};\n" for at, constant in enumerate(exact))
    (tmp_path / "a.c").write_text(source)
    run_tcc(obtain_tcc(DebianPackages(Cache())), ["-c", "a.c", "-o", "debian.o"], tmp_path)
    tcc.tools.run(["i386-tcc", "-c", "a.c", "-o", "own.o"], tmp_path)
    assert hashlib.sha256((tmp_path / "own.o").read_bytes()).digest() == hashlib.sha256((tmp_path / "debian.o").read_bytes()).digest()
    for constant in ("0.5", ".5", "1e3", "0x1p3", "18446744073709551617.0", "100000000000000000000.0", "1.5f"):
        (tmp_path / "b.c").write_text(f"double d = {constant};\n")
        with pytest.raises(BackendError, match="limit: floating constants"):
            tcc.tools.run(["i386-tcc", "-c", "b.c", "-o", "b.o"], tmp_path)


@pytest.mark.parametrize(("number", "hint"), [(8, "toolchain=host"), (13, "XBOOT_CACHE")])
def test_a_machine_that_does_not_run_the_program_is_told_why(
    monkeypatch: pytest.MonkeyPatch, tcc: OwnTcc, tmp_path: Path, number: int, hint: str
) -> None:
    def refusing(*arguments: object, **words: object) -> None:
        raise OSError(number, "not so")

    monkeypatch.setattr(subprocess, "Popen", refusing)
    with pytest.raises(MissingToolError, match=rf"does not run .*, TCC as a static program for i386 \({os.strerror(number)}\)") as caught:
        tcc.tools.run(["i386-tcc", "-v"], tmp_path)
    assert hint in str(caught.value.hint)


def test_no_other_program_is_among_the_tools(tcc: OwnTcc, tmp_path: Path) -> None:
    with pytest.raises(BackendError, match="sh is not among the tools"):
        tcc.tools.run(["sh", "-c", "true"], tmp_path)


def test_output_that_cannot_be_written_is_an_error(tcc: OwnTcc, tmp_path: Path) -> None:
    (tmp_path / "a.c").write_text("int a;\n")
    with pytest.raises(BackendError, match="cannot write"):
        tcc.tools.run(["i386-tcc", "-MD", "-MF", "/dev/full", "-c", "a.c", "-o", "a.o"], tmp_path)
