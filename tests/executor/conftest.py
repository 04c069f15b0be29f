"""A kernel, executors and a shell for the tests that boot."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from guest_harness import Guest

from xboot.cache import Cache
from xboot.debian import DebianPackages
from xboot.guest.build import EXECUTOR, build_executor
from xboot.model import Artifact, Source
from xboot.testing.boot import source
from xboot_linux.kernel import built_kernel


@pytest.fixture(scope="session")
def cache() -> Cache:
    return Cache()


@pytest.fixture(scope="session")
def kernel(cache: Cache) -> Artifact:
    return built_kernel(cache, lambda event: None)


def busybox_tree(program: Path, folder: Path) -> Source:
    """busybox under all its names."""
    tree = folder / "busybox"
    (tree / "bin").mkdir(parents=True)
    shutil.copy(program, tree / "bin" / "busybox")
    (tree / "bin" / "busybox").chmod(0o755)
    names = (
        "awk cat chmod chown chroot cp cut dd df echo env expr false find grep head hostname id kill killall ln ls mkdir mkfifo mknod "
        "mktemp mount mv nc od ps pwd readlink rm sed setsid sh sha256sum sleep sort stat stty tail tee test touch tr true truncate "
        "uname umount usleep wc xargs yes"
    )
    for name in names.split():
        (tree / "bin" / name).symlink_to("busybox")
    return source(tree)


@pytest.fixture(scope="session")
def shell(cache: Cache, tmp_path_factory: pytest.TempPathFactory) -> Source:
    unpacked, _ = DebianPackages(cache).unpacked("busybox-static", "amd64")
    return busybox_tree(unpacked / "bin" / "busybox", tmp_path_factory.mktemp("shell"))


@pytest.fixture(scope="session")
def shell32(cache: Cache, tmp_path_factory: pytest.TempPathFactory) -> Source:
    unpacked, _ = DebianPackages(cache).unpacked("busybox-static", "i386")
    return busybox_tree(unpacked / "bin" / "busybox", tmp_path_factory.mktemp("shell32"))


@pytest.fixture(scope="session")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """driver.c with the executor's files, as a program of this machine that ends when it does something undefined."""
    folder = tmp_path_factory.mktemp("driver")
    flags = ["-g", "-O1", "-fno-builtin", "-fsanitize=address,undefined", "-fno-sanitize-recover=all", f"-I{EXECUTOR}", "-Wall", "-Wextra"]
    objects = []
    parts = [EXECUTOR / f"{name}.c" for name in ("lib", "nar", "script", "sexp", "sha256", "sha256-block")]
    for source_file in (Path(__file__).parent / "driver.c", *parts):
        renamed = ["-Dmemcpy=own_memcpy", "-Dmemset=own_memset"] if source_file.name == "lib.c" else []
        objects.append(str(folder / f"{source_file.stem}.o"))
        subprocess.run(["gcc", *flags, *renamed, "-c", str(source_file), "-o", objects[-1]], check=True)
    subprocess.run(["gcc", *flags, *objects, "-o", str(folder / "driver")], check=True)
    return folder / "driver"


@pytest.fixture
def guest(kernel: Artifact, cache: Cache, shell: Source, tmp_path: Path) -> Guest:
    return Guest({"kernel": kernel, "executor": build_executor("x86_64", "gcc", cache)}, tmp_path, shell)


@pytest.fixture(params=[("x86_64", "gcc"), ("x86_64", "tcc"), ("i386", "gcc"), ("i386", "i386-tcc")], ids="-".join)
def each_guest(request: pytest.FixtureRequest, kernel: Artifact, cache: Cache, shell: Source, tmp_path: Path) -> Guest:
    return Guest({"kernel": kernel, "executor": build_executor(*request.param, cache)}, tmp_path, shell)
