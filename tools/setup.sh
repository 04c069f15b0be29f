#!/bin/sh
# Sets up everything xboot needs on a Debian machine: Debian packages that are missing, then a Python environment in .venv.
# Says what it does; does nothing when all is there. Usage: tools/setup.sh [run|test|check|packages]; `check` needs Python alone,
# `packages` installs those for `run` and nothing else.
set -eu
cd "$(dirname "$0")/.."
what=${1:-run}

# What each is for stands behind it; `xboot doctor` knows the same list by the programs' names.
packages="
python3-venv      # the environment below
qemu-system-x86   # boots what was built
bubblewrap        # confines QEMU to the image and one folder, and the locked compilers to theirs
ca-certificates   # xboot fetch, and parts from mirrors
"
[ "$what" = check ] && packages="python3-venv"
[ "$what" = test ] && packages="$packages
gcc libc6-dev tcc make  # tests that compile programs for this machine; with clang, TCC by three compilers
ocaml-nox ocaml-findlib  # tests of the unikernel's modules on this machine
musl-dev          # programs of the tests
flex bison bc libelf-dev libssl-dev xz-utils cpio  # a Linux kernel by this machine's compilers (--set toolchain=host)
nix-bin           # the oracle: the same derivations built by nix
guile-3.0         # reads guix/guix.scm
git               # tests of clean clones
gnupg             # tests of signed indices
frama-c-base      # proofs about the executor
clang libclang-rt-dev clang-format  # fuzzing of the executor's readers, the style of guest code
csmith libcsmith-dev  # random C programs, run on every kernel
chromium fonts-dejavu-core  # tests of the HTML reports
"
# A package `npm` is not all that may bring the program, and would not go together with the others.
[ "$what" = test ] && ! command -v npm >/dev/null && packages="$packages
npm               # brings the machine v86, once
"

missing=
if command -v dpkg-query >/dev/null; then
    for package in $(printf '%s' "$packages" | sed 's/#.*//'); do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q ' installed$' || missing="$missing $package"
    done
else
    echo "setup: this is no Debian: what is missing, and its packages' names here, says .venv/bin/xboot doctor" >&2
fi
if [ -n "$missing" ]; then
    if [ "$(id -u)" = 0 ]; then as_root=; elif command -v sudo >/dev/null; then as_root=sudo; else
        echo "setup: these Debian packages are missing and can be installed only by root:$missing" >&2
        echo "setup: run as root: apt-get install --no-install-recommends$missing" >&2
        exit 1
    fi
    echo "setup: installing Debian packages:$missing" >&2
    $as_root apt-get update -qq
    DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends $missing >&2
fi

[ "$what" = packages ] && exit
case $what in run) locked=requirements/run.txt ;; *) locked=requirements/dev.txt ;; esac
stamp=.venv/.xboot-setup
want=$(cat pyproject.toml "$locked" tools/setup.sh | sha256sum)
# An environment for tests serves `make run` as well.
full=$(cat pyproject.toml requirements/dev.txt tools/setup.sh | sha256sum)
have=$(cat "$stamp" 2>/dev/null || true)
if [ "$have" != "$want" ] && [ "$have" != "$full" ]; then
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "setup: python3 is older than 3.11" >&2; exit 1; }
    echo "setup: installing xboot and the Python packages of $locked into .venv" >&2
    rm -f "$stamp"
    [ -x .venv/bin/pip ] || python3 -m venv .venv
    .venv/bin/pip install --quiet --disable-pip-version-check --require-hashes -r "$locked"
    .venv/bin/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
    printf '%s\n' "$want" > "$stamp"
fi
