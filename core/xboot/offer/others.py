"""Formats of other projects that rebuild: SHA256SUMS in the layout of guix.sigs, in-toto links as rebuilderd serves them.

A product is the NAR of an output, as a file: what `xboot run --export` writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from securesystemslib.formats import encode_canonical

from xboot.attest.envelope import canonical
from xboot.attest.keys import PrivateKey
from xboot.offer.agreed import AgreedOutput

__all__ = ["links", "sums"]


def sums(outputs: Sequence[AgreedOutput], key: PrivateKey, target: str) -> Iterator[tuple[str, bytes]]:
    """TARGET/SIGNER/all.SHA256SUMS, which `sha256sum --check` reads, and a signature (ed25519, 64 bytes) over it, which openssl checks."""
    content = "".join(f"{o.nar_sha256}  {o.file}\n" for o in sorted(outputs, key=lambda o: o.file)).encode()
    name = f"{target}/{key.signer}/all.SHA256SUMS"
    yield name, content
    yield f"{name}.sig", bytes.fromhex(key.crypto.sign(content).signature)


def links(outputs: Iterable[AgreedOutput], key: PrivateKey, script_sha256: str) -> Iterator[tuple[str, bytes]]:
    """One signed link (in-toto specification 1.0, section 4.4) for each output. Its material is the script that was run."""
    for output in outputs:
        signed = {
            "_type": "link", "name": f"rebuild {output.file}", "materials": {"script": {"sha256": script_sha256}},
            "products": {output.file: {"sha256": output.nar_sha256}}, "environment": {}, "byproducts": {}, "command": [],
        }  # fmt: skip
        text = encode_canonical(signed)
        assert text is not None
        made = key.crypto.sign(text.encode())
        yield f"{output.file}.link", canonical({"signatures": [{"keyid": key.keyid, "sig": made.signature}], "signed": signed}) + b"\n"
