"""Small inputs to begin with, one or more for each target: good ones, made by xboot's own writers. Nothing is stored that can be made."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from typing import Any

from targets import DEV, DRV, HASH, NONCE, OUT, SCRIPT, SHA, SOURCE, STORE

from xboot.linearize import script_text
from xboot.model import Component, Derivation, Output, Role
from xboot.parse import derivation_to_json, write_derivation
from xboot.tcb import digest

_DRV = Derivation(
    DRV, {"dev": Output("dev", DEV), "out": Output("out", OUT)}, {f"{STORE}/{'1' * 32}-a.drv": ("dev", "out")}, (SOURCE,), "i686-linux",
    b"/nix/store/sh", (b"-c", b'echo "a\\b"\n\t\r'), {b"__json": b'{"a":[1]}', b"dev": DEV.encode(), b"out": OUT.encode()},
)  # fmt: skip
_FIXED = Derivation(DRV, {"out": Output("out", OUT, "r:sha256", SHA)}, {}, (), "builtin", b"builtin:fetchurl", (), {b"url": b"http://x/y"})


def _nar(*words: bytes) -> bytes:
    return b"".join(len(word).to_bytes(8, "little") + word + bytes(-len(word) % 8) for word in (b"nix-archive-1", *words))


_FILE = (b"(", b"type", b"regular", b"contents", b"hello", b")")
_TREE = _nar(
    b"(", b"type", b"directory", b"entry", b"(", b"name", b"a", b"node", *_FILE, b")", b"entry", b"(", b"name", b"b", b"node",
    b"(", b"type", b"symlink", b"target", b"a", b")", b")", b"entry", b"(", b"name", b"c", b"node", b"(", b"type", b"directory",
    b"entry", b"(", b"name", b"x", b"node", b"(", b"type", b"regular", b"executable", b"", b"contents", b"", b")", b")", b")", b")", b")",
)  # fmt: skip


def _tar(mode: str) -> bytes:
    into = io.BytesIO()
    with tarfile.open(fileobj=into, mode=mode, format=tarfile.GNU_FORMAT if mode == "w" else tarfile.PAX_FORMAT) as tar:  # type: ignore[call-overload]
        for name, kind, target in (
            ("top", "5", ""),
            ("top/" + "n" * 120, "0", ""),
            ("top/s", "2", "a"),
            ("top/h", "1", "top/" + "n" * 120),
        ):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind.encode(), target
            info.size = 3 if kind == "0" else 0
            tar.addfile(info, io.BytesIO(b"abc"))
    return into.getvalue()


def _channel() -> bytes:
    said = [
        f'(hello "{NONCE}" "{SCRIPT.sha256}")', f'(source "{NONCE}" "{SOURCE}" "sha256" "{SHA}" 120)', f'(begin "{NONCE}" 1)',
        f'(output "{NONCE}" 1 "dev" "sha256" "{SHA}" 120 ("{SOURCE}"))', f'(output "{NONCE}" 1 "out" "sha256" "{SHA}" 120 ())',
        f'(export "{NONCE}" 1 "out" 0 100)', f'(export "{NONCE}" 1 "out" 100 20)', f'(done "{NONCE}")',
    ]  # fmt: skip
    return "\n".join(said).encode()


def _statement(kind: str, predicate: object) -> bytes:
    subject = [{"name": OUT, "digest": {"narSha256": SHA}, "annotations": {"step": "1", "drv": DRV}}]
    return json.dumps(
        {"_type": "https://in-toto.io/Statement/v1", "subject": subject, "predicateType": kind, "predicate": predicate}
    ).encode()


def _made_of() -> list[dict[str, Any]]:
    """An image of a kernel and an executor, and what is below it."""
    parts = [("in the image: kernel", "kernel"), ("in the image: executor", "executor"), ("below the image: qemu", "")]
    return [
        {
            "name": name,
            "digest": {"sha256": SHA},
            "annotations": {"role": role, "bytes": "7", "lines": "3", "sources": "0" * 16} if role else {"version": "1"},
        }
        for name, role in parts
    ]


def _statements(*made_of: dict[str, Any], tcb: str = SHA) -> bytes:
    named = [
        {"name": name, "digest": {"sha256": tcb if name == "tcb" else SHA}, "annotations": {"backend": "linux", "executor": "c"}}
        for name in ("script", "image", "tcb")
    ]
    provenance = {
        "buildDefinition": {"buildType": "urn:xboot:run:1", "resolvedDependencies": [named[0], *made_of]},
        "runDetails": {"builder": {"id": "urn:xboot:backend:linux"}, "byproducts": named[1:]},
    }
    result = {"result": "PASSED", "configuration": named, "passedTests": [f"step 1: {DRV}"]}
    first = _statement("https://slsa.dev/provenance/v1", provenance)
    return first + b"\n" + _statement("https://in-toto.io/attestation/test-result/v0.1", result)


def _report() -> bytes:
    sri = "sha256-qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqo="
    outputs = [
        {"step": 1, "drv": DRV, "name": path[-3:], "path": path, "status": "unknown", "narHash": sri, "narSha256": SHA, "narSize": 120,
         "expected": {}, "references": [], "seconds": 0.5}
        for path in (DEV, OUT)
    ]  # fmt: skip
    run = {"xbootReport": 1, "verdict": "built", "failure": None, "backend": "linux", "accelerator": "tcg", "scriptSha256": SCRIPT.sha256}
    sources = [{"path": SOURCE, "kind": "nar", "narHash": sri, "narSha256": SHA, "narSize": 120}]
    return json.dumps({**run, "imageSha256": SHA, "sources": sources, "results": [OUT], "outputs": outputs}).encode()


_MANIFEST = (
    f"xboot-bundle 1\nstore {STORE}\nroot {DRV}\nsource {SOURCE}\nfile {SHA} 10 store/{HASH}-source.nar\nfile {SHA} 10 store/{HASH}-x.drv\n"
)


def _comparison() -> bytes:
    run = json.loads(_report())
    said = [
        {"step": o["step"], "drv": o["drv"], "name": o["name"], "path": o["path"], "agreed": True, "narSha256": {"linux": SHA}}
        for o in run["outputs"]
    ]
    value = {"xbootComparison": 2, "verdict": "agreed", "quorum": 1, "complete": ["linux"], "outputs": said, "runs": {"linux": run}}
    alone = {"guestCode": ["linux"], "machines": ["linux"], "both": ["linux"], "shared": [], "asked": 1, "askedMachines": False}
    value["independent"] = alone
    return json.dumps(value).encode()


def _bundle() -> bytes:
    text = write_derivation(_FIXED)
    lines = f"xboot-bundle 1\nstore {STORE}\nroot {DRV}\nfile {hashlib.sha256(text).hexdigest()} {len(text)} store/{HASH}-x.drv\n".encode()
    into = io.BytesIO()
    with tarfile.open(fileobj=into, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, data in (("xboot-bundle", lines), (f"store/{HASH}-x.drv", text)):
            info = tarfile.TarInfo(name)
            info.size, info.mode, info.mtime = len(data), 0o444, 1
            tar.addfile(info, io.BytesIO(data))
    return into.getvalue()


_RECIPE = b"""[recipe]
system = "i686-linux"
default = ["d"]
[source.a]
type = "url"
url = "http://127.0.0.1/x"
hash = "sha256-ZP0ooGdeMFvZsCtJBonatXVcjqWiM7N05V46LXzF1xQ="
[source.t]
type = "text"
text = "x"
[derivation.d]
builder = "{a}/bin"
args = ["{t}", "${x}", "{{}}"]
outputs = ["out", "dev"]
[derivation.d.env]
X = '1'
"""

_TCB = digest([Component(role.value, role, 7, SHA, lines=3) for role in (Role.KERNEL, Role.EXECUTOR)])

SEEDS: dict[str, list[bytes]] = {
    "aterm": [write_derivation(_DRV), write_derivation(_FIXED)],
    "nix-json": [json.dumps(derivation_to_json(_DRV)).encode(), json.dumps(derivation_to_json(_FIXED)).encode()],
    "json": [b'{"a":[1,-2.5e10,true,null,"\\u00e4\\ud83d\\ude00"],"b":{}}'],
    "structured": [b'{"a":[1,2.5],"outputChecks":{"out":{"allowedReferences":["out"]}},"b":{"c":"d"}}'],
    "manifest": [_MANIFEST.encode()],
    "bundle": [_bundle()],
    "nar": [_TREE, _nar(*_FILE)],
    "string": [b'"a\\x09\\n\\"\\\\\\xff"', b'""'],
    "script": [script_text(STORE, SCRIPT.sources, SCRIPT.steps, SCRIPT.results)],
    "channel": [_channel()],
    "recipe": [_RECIPE],
    "references": [b"{a} {b.out} {{ }} ${x}"],
    "tarball": [_tar("w"), _tar("w:gz"), _tar("w:xz")],
    "envelope": [b'{"payload":"e30=","payloadType":"application/vnd.in-toto+json","signatures":[{"keyid":"a","sig":"AAAA"}]}\n'],
    "statements": [_statements(), _statements(*_made_of(), tcb=_TCB)],
    "expectations": [json.dumps({OUT: SHA, DEV: "sha256-ZP0ooGdeMFvZsCtJBonatXVcjqWiM7N05V46LXzF1xQ="}).encode()],
    "report": [_report(), _comparison()],
    "recorded": [_report(), _comparison()],
    "scheme": [
        b'((gnu "http://a/" "http://b/") (x))',
        b'(list (lambda (file algo hash) (string-append "http://x/" (symbol->string algo))))',
    ],
    "lock": [json.dumps({"version": 1, "sources": {"a": {"package": "p", "version": "1", "files": {"f": SHA}, "nar": SHA}}}).encode()],
    "sums": [f"{SHA}  12  a/b\n{SHA}  3  \"a\\nb\"\n".encode()],
    "terminal": ["a\x1b[2J\u202e\nb".encode()],
}  # fmt: skip
"""Target → seeds."""
