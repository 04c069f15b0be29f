#!/bin/sh
# Renews requirements/run.txt and requirements/dev.txt: every Python package that `make run` and `make test` install, by version and SHA-256,
# for all the Python versions and platforms that pyproject.toml allows. Needs uv (from PyPI). Usage: tools/lock.sh
set -eu
cd "$(dirname "$0")/.."
compile() {
    out=$1
    shift
    uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate \
        --custom-compile-command tools/lock.sh --output-file "$out" pyproject.toml requirements/build.in "$@"
}
compile requirements/run.txt
compile requirements/dev.txt --extra dev
