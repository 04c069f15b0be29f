"""parse: from a `.drv` to a verified `Closure`. Nothing is believed: every path is recomputed from what it stands for."""

from xboot.parse.aterm import parse_derivation, write_derivation
from xboot.parse.closure import read_closure
from xboot.parse.merge import merge_closures
from xboot.parse.modulo import hash_derivation_modulo
from xboot.parse.nixjson import derivation_from_json, derivation_to_json
from xboot.parse.sources import find_output

__all__ = [
    "derivation_from_json",
    "derivation_to_json",
    "find_output",
    "hash_derivation_modulo",
    "merge_closures",
    "parse_derivation",
    "read_closure",
    "write_derivation",
]
