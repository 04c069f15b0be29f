"""A real HTTP server on loopback whose faults are chosen by the path of the URL."""

from __future__ import annotations

import contextlib
import http.server
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass
class FaultyServer:
    """`content` is what every path serves, in its way; `requests` are (path, Range header) in order."""

    content: bytes
    url: str = ""
    requests: list[tuple[str, str]] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)


@contextlib.contextmanager
def faulty_server() -> Iterator[FaultyServer]:
    """The server, running in a thread."""
    state = FaultyServer(bytes(range(256)) * 4096)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = self.headers.get("Range", "")
            state.requests.append((self.path, asked))
            kind = self.path.split("/")[1]
            tries = sum(path == self.path for path, _ in state.requests)
            getattr(self, f"_{kind}", self._missing)(asked, tries)

        def _send(self, status: int, body: bytes, **headers: str) -> None:
            self.send_response(status)
            for name, value in ({"Content-Length": str(len(body))} | headers).items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            self.wfile.write(body)

        def _part(self, asked: str, end: int | None = None) -> None:
            """From where it was asked for; cut off at `end` although more was announced."""
            start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
            total = len(state.content)
            self.send_response(206 if asked else 200)
            if asked:
                self.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
            self.send_header("Content-Length", str(total - start))
            self.end_headers()
            self.wfile.write(state.content[start:end])

        def _missing(self, asked: str, tries: int) -> None:
            body = state.files.get(self.path)
            self._send(200, body) if body is not None else self._send(404, b"no")

        def _good(self, asked: str, tries: int) -> None:
            self._part(asked)

        def _plain(self, asked: str, tries: int) -> None:
            self._send(200, state.content)  # knows no ranges

        def _cut(self, asked: str, tries: int) -> None:
            self._part(asked, 300_000 * tries)

        def _cutplain(self, asked: str, tries: int) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(state.content)))
            self.end_headers()
            self.wfile.write(state.content if tries > 2 else state.content[:1000])

        def _dead(self, asked: str, tries: int) -> None:
            self._part(asked, 0)

        def _wrong(self, asked: str, tries: int) -> None:
            self._send(200, b"not what was asked for")

        def _busy(self, asked: str, tries: int) -> None:
            self._part(asked) if tries > 2 else self._send(503, b"later")

        def _broken(self, asked: str, tries: int) -> None:
            self._send(500, b"sorry")

        def _loop(self, asked: str, tries: int) -> None:
            self._send(302, b"", Location=self.path)

        def _moved(self, asked: str, tries: int) -> None:
            self._send(301, b"", Location="/good/elsewhere")

        def _tofile(self, asked: str, tries: int) -> None:
            self._send(302, b"", Location="file:///etc/passwd")

        def _silent(self, asked: str, tries: int) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"x")
            self.wfile.flush()
            time.sleep(2)

        def _drip(self, asked: str, tries: int) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            for _ in range(200):
                self.wfile.write(b"x")
                self.wfile.flush()
                time.sleep(0.05)

        def _endless(self, asked: str, tries: int) -> None:
            self.send_response(200)
            self.end_headers()
            for _ in range(1000):
                self.wfile.write(bytes(1 << 16))

        def _shifted(self, asked: str, tries: int) -> None:
            """Answers a range with another one."""
            if not asked:
                self._part(asked, 1000)
            else:
                self._send(206, state.content[5:], Content_Range=f"bytes 5-{len(state.content) - 1}/{len(state.content)}")

        def _gzip(self, asked: str, tries: int) -> None:
            import gzip

            self._send(200, gzip.compress(state.content), Content_Encoding="gzip")

        def handle(self) -> None:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # the client gave up, as some tests want it to
                super().handle()

        def log_message(self, format: str, *args: object) -> None:
            pass

    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.daemon_threads = True
    thread = threading.Thread(target=httpd.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{httpd.server_address[1]}"
    yield state
    httpd.shutdown()
    httpd.server_close()
