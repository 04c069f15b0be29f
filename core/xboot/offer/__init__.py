"""Outputs that enough people agree on, offered to other tools in the formats that these read (docs/offering.md).

agreed   the outputs, with all that is needed to offer them
nix      a binary cache: narinfo files, signed as Nix signs
others   SHA256SUMS as in guix.sigs, in-toto links as rebuilderd serves them
collect  the other way: attestations from anywhere, put where a repository has them
"""

from xboot.offer.agreed import AgreedOutput, agreed_outputs
from xboot.offer.collect import collect
from xboot.offer.files import write_files
from xboot.offer.nix import fingerprint, load_signing_key, narinfo, nix_public_key

__all__ = [
    "AgreedOutput", "agreed_outputs", "collect", "fingerprint", "load_signing_key", "narinfo", "nix_public_key", "write_files",
]  # fmt: skip
