"""The program that takes QEMU's place for `FakeBackend`: reads the acts, speaks on the sockets that the boot stage passes."""

from __future__ import annotations

import json
import os
import re
import socket
import sys
import time
from pathlib import Path
from typing import Any


def main(arguments: list[str]) -> None:
    """Play the acts of the file named after `-acts`; end with status 0 when they run out."""
    if "-version" in arguments:
        return
    play = json.loads(Path(arguments[arguments.index("-acts") + 1]).read_text())
    descriptors = {name: int(fd) for name, fd in re.findall(r"socket,id=(\w+),fd=(\d+)", " ".join(arguments))}
    result, console = (socket.socket(fileno=descriptors[name]) for name in ("result", "console"))
    nonce = "" if _is_silent(play["acts"]) else _handshake(result)
    for act in play["acts"]:
        _act(act, result, console, nonce, play["script"])


def _is_silent(acts: list[dict[str, Any]]) -> bool:
    """True when the first act is a raw line, a wait or an end: then the machine does not even greet."""
    first = acts[0] if acts else {"wait": 0.0, "raw": True}
    return bool(first.get("raw") or first.get("wait") or first.get("exit") is not None or first.get("kill") is not None)


def _handshake(result: socket.socket) -> str:
    result.sendall(b"(xboot 1)\n")
    line = b""
    while not line.endswith(b"\n"):
        line += result.recv(1)
    match = re.match(rb'\(run "([0-9a-f]{32})" ', line)
    assert match is not None, line
    return match[1].decode()


def _act(act: dict[str, Any], result: socket.socket, console: socket.socket, nonce: str, script: str) -> None:
    if act["line"]:
        line = act["line"].replace("NONCE", nonce).replace("SCRIPT", script)
        result.sendall(line.encode("latin-1") + (b"" if act["raw"] else b"\n"))
    for _ in range(act["times"] if act["console"] else 0):
        console.sendall(act["console"].encode())
    time.sleep(act["wait"])
    if act["kill"] is not None:
        os.kill(os.getpid(), act["kill"])
    if act["exit"] is not None:
        sys.exit(act["exit"])


if __name__ == "__main__":
    main(sys.argv[1:])
