"""Headless Chromium, driven over its debugging pipe (NUL-terminated JSON on descriptors 3 and 4): no port, no driver, no library."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Any

SECONDS = 60.0


def _pipe() -> tuple[int, int]:
    """Both ends above 9, so that none is in the way when they become 3 and 4."""
    low = os.pipe()
    high = fcntl.fcntl(low[0], fcntl.F_DUPFD_CLOEXEC, 10), fcntl.fcntl(low[1], fcntl.F_DUPFD_CLOEXEC, 10)
    for descriptor in low:
        os.close(descriptor)
    return high


class Browser:
    """One Chromium with one page. What the page logs, throws and asks the network for is collected."""

    def __init__(self, folder: Path) -> None:
        self.logged: list[str] = []
        self.requests: list[str] = []
        self._number = 0
        self._buffer = b""
        self._session = ""
        program = shutil.which("chromium")
        assert program, "chromium is not installed; tools/setup.sh test installs it"
        theirs_in, self._out = _pipe()
        self._in, theirs_out = _pipe()
        command = [
            "/bin/bash", "-c", f'exec "$0" "$@" 3<&{theirs_in} 4>&{theirs_out}', program, "--headless", "--no-sandbox", "--disable-gpu",
            "--no-first-run", "--disable-background-networking", "--disable-dev-shm-usage", "--remote-debugging-pipe",
            f"--user-data-dir={folder}",
        ]  # fmt: skip
        with (folder / "stderr").open("wb") as stderr:
            self._process = subprocess.Popen(
                command, pass_fds=(theirs_in, theirs_out), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=stderr
            )
        os.close(theirs_in)
        os.close(theirs_out)
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "Security"):
            self.send(f"{domain}.enable")

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self._process.kill()
        self._process.wait(timeout=20)
        os.close(self._in)
        os.close(self._out)

    def send(self, method: str, **params: Any) -> dict[str, Any]:
        """Ask, and wait for the answer."""
        self._number += 1
        number = self._number
        message: dict[str, Any] = {"id": number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            got = self._receive()
            if got.get("id") == number:
                assert "error" not in got, (method, got["error"])
                return got["result"]

    def open(self, file: Path, *, width: int = 1100, height: int = 900, dark: bool = False) -> None:
        """Show a file in a window of that size, and wait until it is loaded."""
        self.logged.clear()
        self.requests.clear()
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
        self.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        self.send("Page.navigate", url=file.resolve().as_uri())
        deadline = time.monotonic() + SECONDS
        while self.evaluate("document.readyState + location.protocol") != "completefile:":
            assert time.monotonic() < deadline, "the page did not load"
            time.sleep(0.05)
        time.sleep(0.2)  # errors that come a moment later
        self.evaluate("1")

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression, by the debugger: the page's own policy does not bind it."""
        return self.send("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def screenshot(self, file: Path) -> bytes:
        """A PNG of the whole page."""
        data = base64.b64decode(self.send("Page.captureScreenshot", format="png", captureBeyondViewport=True)["data"])
        file.write_bytes(data)
        return data

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._in], [], [], SECONDS)
            assert ready, "chromium does not answer"
            data = os.read(self._in, 1 << 20)
            assert data, "chromium ended"
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        match message.get("method"):
            case "Log.entryAdded":
                self.logged.append(message["params"]["entry"]["text"])
            case "Runtime.consoleAPICalled" | "Runtime.exceptionThrown":
                self.logged.append(json.dumps(message["params"]))
            case "Network.requestWillBeSent":
                self.requests.append(message["params"]["request"]["url"])
        return message
