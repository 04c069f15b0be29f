from __future__ import annotations

import contextlib
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest
from a_mirror import Mirror

from xboot.cache import Cache
from xboot.parts import places


@pytest.fixture
def mirror() -> Iterator[Mirror]:
    state = Mirror()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = unquote(self.path)
            state.asked.append(path)
            body = state.files.get(path)
            self.send_response(404 if body is None else 200)
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            with contextlib.suppress(ConnectionError):
                self.wfile.write((body or b"")[: len(body or b"") - state.cut])

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    state.url = f"http://127.0.0.1:{server.server_address[1]}/debian"
    yield state
    server.shutdown()
    server.server_close()


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that knows no place at all."""
    monkeypatch.setattr(places, "apt_archives", lambda: [])
    monkeypatch.setattr("xboot.parts.index.apt_archives", lambda: [])
    for name in ("XBOOT_MIRROR", "XBOOT_SNAPSHOT", "XBOOT_KEYRING", "http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("xboot.parts.obtaining.apt_proxy", lambda scheme: "")
    monkeypatch.setattr("xboot.parts.index.apt_proxy", lambda scheme: "")


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")
