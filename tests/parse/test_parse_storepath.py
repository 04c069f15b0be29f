"""Store paths, against vectors that nix-bin and guix printed."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xboot import storepath
from xboot.errors import InputError

GOOD = "/gnu/store/blhszamwgy3z6b9x0hrp6zk64j7pgww9-guile-bootstrap-2.0"


def test_nix32_of_a_known_hash() -> None:
    # nix hash to-base32 --type sha256 of the empty string's SHA-256
    assert storepath.nix32(hashlib.sha256(b"").digest()) == "0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73"


@given(st.binary(max_size=64))
def test_nix32_round_trip(data: bytes) -> None:
    assert storepath.nix32_decode(storepath.nix32(data)) == data


@pytest.mark.parametrize("text", ["e", "0o", "zz", "A" * 32])
def test_nix32_refuses(text: str) -> None:
    with pytest.raises(InputError, match="not a nix32 string"):
        storepath.nix32_decode(text)


@given(st.binary(max_size=40), st.text("abcXYZ09+-._?=", min_size=1, max_size=30))
def test_make_store_path_is_what_its_parts_say(data: bytes, name: str) -> None:
    digest = hashlib.sha256(data).hexdigest()
    fingerprint = hashlib.sha256(f"source:sha256:{digest}:/nix/store:{name}".encode()).digest()
    expected = f"/nix/store/{storepath.nix32(storepath.compress_hash(fingerprint))}-{name}"
    assert storepath.make_store_path("source", digest, name, "/nix/store") == expected
    assert storepath.source_path(name, digest, "/nix/store") == expected


@given(st.binary(max_size=40), st.text("abcXYZ09+-._?=", min_size=1, max_size=30), st.integers(0, 31), st.sampled_from("0z1aeE_é٣ +-"))
def test_is_store_path_is_make_store_path_read_backwards(data: bytes, name: str, place: int, other: str) -> None:
    digest = hashlib.sha256(data).hexdigest()
    path = storepath.make_store_path("source", digest, name, "/nix/store")
    assert storepath.is_store_path(path, "source", digest, name, "/nix/store")
    place += len("/nix/store/")
    changed = path[:place] + other + path[place + 1 :]
    assert storepath.is_store_path(changed, "source", digest, name, "/nix/store") == (changed == path)
    for wrong in (path[:-1], path + "x", path[1:], path.replace("/nix", "/gnu"), "", "/nix/store"):
        assert not storepath.is_store_path(wrong, "source", digest, name, "/nix/store")


def test_fixed_output_paths_of_guix() -> None:
    recursive = "ba621bff6adc2e9e381f5907e0e86ad22b191678404e1f2888a5a924fa02031d"
    assert storepath.fixed_output_path("tar", "sha256", recursive, True, "/gnu/store") == "/gnu/store/k015iy4mrrbd5vf2ihz40ai8swlvcj2p-tar"
    flat = "4703d6a3e2a0df3b59082d4abbbbc95e5af6169fce6460938c2ecee9e68f3c19"
    expected = "/gnu/store/qcxgm7afbhsrf98hi1lgrlqhcxh08k3l-gash-0.3.1.tar.gz"
    assert storepath.fixed_output_path("gash-0.3.1.tar.gz", "sha256", flat, False, "/gnu/store") == expected


def test_parts() -> None:
    assert storepath.store_name(GOOD) == "blhszamwgy3z6b9x0hrp6zk64j7pgww9-guile-bootstrap-2.0"
    assert storepath.hash_part(GOOD) == "blhszamwgy3z6b9x0hrp6zk64j7pgww9"
    assert storepath.output_path_name("a-1", "out") == "a-1"
    assert storepath.output_path_name("a-1", "dev") == "a-1-dev"
    storepath.check_store_path(GOOD, "/gnu/store")


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/nix/store/blhszamwgy3z6b9x0hrp6zk64j7pgww9-a", "not a store path of /gnu/store"),
        ("/gnu/store", "not a store path of /gnu/store"),
        ("/gnu/store/../blhszamwgy3z6b9x0hrp6zk64j7pgww9-a", "inside a store path"),
        (GOOD + "/bin", "inside a store path"),
        ("/gnu/store/blhszamwgy3z6b9x0hrp6zk64j7pgww9", "32 characters of hash"),
        ("/gnu/store/blhszamwgy3z6b9x0hrp6zk64j7pgww9-", "32 characters of hash"),
        ("/gnu/store/blhszamwgy3z6b9x0hrp6zk64j7pgwwe-a", "not nix32"),
        ("/gnu/store/blhszamwgy3z6b9x0hrp6zk64j7pgww9-a b", "character outside"),
        ("/gnu/store/blhszamwgy3z6b9x0hrp6zk64j7pgww9-a\n", "character outside"),
        ("/gnu/store/blhszamwgy3z6b9x0hrp6zk64j7pgww9-é", "character outside"),
        ("/gnu/store/blhszamwgy3z6b9x0hrp6zk64j7pgww9-.", "character outside"),
        ("/gnu/store/blhszamwgy3z6b9x0hrp6zk64j7pgww9-..", "character outside"),
        ("/gnu/store/blhszamwgy3z6b9x0hrp6zk64j7pgww9-" + "a" * 212, "longer than 211"),
    ],
)
def test_check_store_path_refuses(path: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        storepath.check_store_path(path, "/gnu/store")
