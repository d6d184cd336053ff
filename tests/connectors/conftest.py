"""A web server on loopback whose answers a test decides."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

RESET = "reset"  # an answer that is a lost connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One reply."""

    status: int = 200
    body: str = "{}"
    headers: Mapping[str, str] = field(default_factory=dict)
    declared: int | None = None  # a Content-Length that is not the body's


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One request as it arrived."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: str


class WebServer:
    """Answers from a list, or by a function of the request; remembers what it heard."""

    def __init__(self) -> None:
        self.answers: list[Answer | str] = []
        self.answer: Callable[[Heard], Answer | str] | None = None
        self.heard: list[Heard] = []
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                request = Heard(method=self.command, path=self.path, headers=dict(self.headers), body=body)
                owner.heard.append(request)
                answer = owner.answer(request) if owner.answer is not None else owner.answers.pop(0)
                if isinstance(answer, str):
                    linger = struct.pack("ii", 1, 0)
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                    self.connection.close()
                    self.close_connection = True
                    return
                data = answer.body.encode()
                self.send_response(answer.status)
                for name, value in {"Content-Type": "application/json", **answer.headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(answer.declared or len(data)))
                self.end_headers()
                self.wfile.write(data)
                if answer.declared is not None:
                    self.close_connection = True

            do_GET = do_POST = do_PATCH = do_DELETE = _any  # noqa: N815  # http.server's names

            def finish(self) -> None:
                if not self.wfile.closed:
                    try:
                        super().finish()
                    except OSError:  # the connection was reset on purpose
                        return

            def log_message(self, *_: object) -> None:
                """Keep quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def web() -> Iterator[WebServer]:
    """The server, closed afterwards."""
    server = WebServer()
    yield server
    server.close()


@pytest.fixture
def make_answer() -> Callable[..., Answer]:
    """Makes a reply."""
    return Answer
