#!/bin/sh
# Makes this example anew: real runs of examples/hello and of named/ on real kernels, signed with the three demonstration keys, and what
# differs. Needs what `xboot run` needs, and diffoscope. The same runs give the same files, to the byte.
# Usage: examples/attestations/make.sh [XBOOT]
set -eu
cd "$(dirname "$0")"
xboot=${1:-../../.venv/bin/xboot}
case $xboot in */*) xboot=$(realpath "$xboot") ;; esac
command -v diffoscope >/dev/null || { echo "make.sh: diffoscope is not installed" >&2; exit 4; }

for who in demo-alice demo-bob demo-carol; do
    [ -e "keys/$who.key" ] || "$xboot" keygen "$who" --into keys
done
attest() { "$xboot" attest --quiet --key "keys/$1.key" --voters "$2" --into . "$3"; }

hello=../hello/recipe.toml
attest demo-alice linux,tccboot "$hello"
attest demo-bob linux,mirage "$hello"
attest demo-carol hurd "$hello"

# A builder that is not reproducible. Nobody who compared kernels would sign it; who looks at one alone cannot know.
attest demo-alice linux named/recipe.toml
attest demo-bob mirage named/recipe.toml
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
"$xboot" compare --quiet --voters linux,mirage --export "$scratch" named/recipe.toml || [ $? = 1 ]
(cd "$scratch" && { diffoscope linux/*.nar mirage/*.nar || [ $? = 1 ]; }) >"$(echo named-*)/difference.txt"

# Somebody who said so alone.
attest demo-carol tccboot named/recipe.toml:greeting
