"""What `xboot offer nix` signs, asked of nix: it takes an output with the key, and not without; the signature is the one that nix makes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from xboot.nar import dump
from xboot.offer.agreed import AgreedOutput
from xboot.offer.nix import load_signing_key, nix_public_key, signature

pytestmark = pytest.mark.nix

EXAMPLE = Path(__file__).parents[2] / "examples" / "attestations"
KEY = EXAMPLE / "keys" / "demo-alice.key"
HELLO = "/nix/store/ymf5vpy0wqg6jfw1l25kxcjv4bk80xc8-hello"
COMMAND = ["nix", "--extra-experimental-features", "nix-command", "--option", "build-users-group", "", "--option", "substituters", ""]


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    (tmp_path / "content").write_text("Hello from a kernel that does nothing else.\n")
    (tmp_path / "nars").mkdir()
    (tmp_path / "nars" / f"{Path(HELLO).name}.nar").write_bytes(b"".join(dump(tmp_path / "content")))
    (folder,) = EXAMPLE.glob("hello-*")
    made = [
        sys.executable, "-m", "xboot", "offer", "nix", folder, "--policy", EXAMPLE / "policy.toml", "--sign", KEY,
        "--into", tmp_path / "cache", "--nars", tmp_path / "nars",
    ]  # fmt: skip
    subprocess.run([str(word) for word in made], check=True, capture_output=True)
    return tmp_path / "cache"


def test_nix_takes_what_was_verified(nix, cache: Path) -> None:
    stranger = "stranger:" + nix_public_key(load_signing_key(EXAMPLE / "keys" / "demo-bob.key")).partition(":")[2]
    for key in (stranger, stranger.replace("stranger", "demo-alice")):
        done = nix.run(*COMMAND, "copy", "--from", f"file://{cache}", "--option", "trusted-public-keys", key, HELLO, check=False)
        assert done.returncode != 0
        assert "lacks a valid signature" in done.stderr
    key = nix_public_key(load_signing_key(KEY))
    nix.run(*COMMAND, "copy", "--from", f"file://{cache}", "--option", "trusted-public-keys", key, HELLO)
    nix.run(*COMMAND, "store", "verify", "--option", "trusted-public-keys", key, "--sigs-needed", "1", HELLO)
    assert (nix.store / Path(HELLO).name).read_text() == "Hello from a kernel that does nothing else.\n"


def test_a_changed_narinfo_is_refused_by_nix(nix, cache: Path) -> None:
    """The signature covers hash, size and references: the same file with a reference more is none that was signed."""
    (file,) = cache.glob("*.narinfo")
    file.write_text(file.read_text().replace("References: ", f"References: {Path(HELLO).name}"))
    nix.run("nix-store", "--delete", "--ignore-liveness", HELLO, check=False)
    key = nix_public_key(load_signing_key(KEY))
    done = nix.run(*COMMAND, "copy", "--from", f"file://{cache}", "--option", "trusted-public-keys", key, HELLO, check=False)
    assert done.returncode != 0
    assert "lacks a valid signature" in done.stderr


def test_the_signature_is_the_one_that_nix_makes(nix, tmp_path: Path) -> None:
    """Of a path with references, by a key of nix."""
    text = 'builtins.toFile "b" "${builtins.toFile "a" "x"} ${builtins.toFile "c" "y"}"'
    path = json.loads(nix.run("nix-instantiate", "--eval", "--strict", "--json", "--read-write-mode", "-E", text).stdout)
    secret = tmp_path / "secret"
    secret.write_text(nix.run(*COMMAND, "key", "generate-secret", "--key-name", "cache.example-1").stdout)
    nix.run(*COMMAND, "store", "sign", "-k", str(secret), path)
    (info,) = json.loads(nix.run(*COMMAND, "path-info", "--json", path).stdout)
    assert len(info["references"]) == 2
    output = AgreedOutput(path, f"{path}.drv", nix.hash(path), info["narSize"], sorted(info["references"]))
    assert info["signatures"] == [signature(output, load_signing_key(secret))]
    public = tmp_path / "public"
    public.write_text(nix.run("sh", "-c", f"{' '.join(COMMAND[:3])} key convert-secret-to-public < {secret}").stdout)
    assert public.read_text() == nix_public_key(load_signing_key(secret))
