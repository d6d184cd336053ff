"""A CRM on a real port: HTTP on loopback, faults, audit and clock around a vendor's dialect."""

from __future__ import annotations

import contextlib
import socket
import struct
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from connectors.sandbox.audit import Audit
from connectors.sandbox.clock import Clock, set_base
from connectors.sandbox.clock import advance as advance_clock
from connectors.sandbox.clock import base as clock_base
from connectors.sandbox.faults import FaultRule, Faults
from connectors.sandbox.later import Later
from connectors.sandbox.store import Store, moment
from connectors.sandbox.wire import Dialect, Request, Response, SentRow

MAX_TARGET = 16_384  # characters of a request line's target before 414
MAX_BODY = 64 * 1024 * 1024
LOOPBACK = "127.0.0.1"

DIALECTS = {
    "salesforce": "connectors.sandbox.salesforce.dialect",
    "hubspot": "connectors.sandbox.hubspot.dialect",
}
"""Modules that speak for a vendor: each one offers what `Vendor` says."""

RESET = Response(status=0, api_calls=0)
"""Stands for a connection that is cut with a RST instead of a reply."""

_LOST = frozenset({"reset_after", "late"})
"""Faults under which the request is handled and nobody hears the answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """One request with the faults that it meets and the rows that it carries."""

    request: Request
    target: str
    endpoint: str
    struck: tuple[FaultRule, ...]
    rows: tuple[SentRow, ...]

    @property
    def kinds(self) -> list[str]:
        return sorted({rule.kind for rule in self.struck})

    @property
    def is_lost(self) -> bool:
        """Whether nobody hears the answer."""
        return not _LOST.isdisjoint(self.kinds)


class Vendor(Protocol):
    """What a dialect's module offers."""

    def open_or_create(self, folder: Path) -> Store:
        """The vendor's store in the folder, made first if there is none."""
        ...

    def dialect(
        self, *, store: Store, audit: Audit, clock: Clock, folder: Path, url: str, **settings: int
    ) -> Dialect:
        """The vendor's answers over that store; `settings` are the vendor's own limits."""
        ...


class Sandbox:
    """A sandbox CRM serving on `url` from a background thread until `close`.

    `folder` is made ready on the first start: `crm.sqlite`, `sandbox.json`, `secrets/`. `faults` are rules or
    a file of them; without, `folder/faults.json` is watched. Use as a context manager, or call
    `serve_forever` after the start to stay in the foreground.
    """

    def __init__(
        self,
        folder: Path,
        dialect: str = "salesforce",
        port: int = 0,
        faults: Sequence[FaultRule] | Path | None = None,
        *,
        sleep: Callable[[float], None] = time.sleep,
        **settings: int,
    ) -> None:
        if dialect not in DIALECTS:
            raise ValueError(f"the sandbox speaks no {dialect!r}: choose one of {', '.join(DIALECTS)}")
        vendor: Vendor = import_module(DIALECTS[dialect])
        self.folder = folder
        self.store: Store = vendor.open_or_create(folder)
        self.audit = Audit(self.store)
        rules = () if isinstance(faults, Path) or faults is None else faults
        self.faults = Faults(faults if isinstance(faults, Path) else folder / "faults.json", rules)
        # after a crash the base was not saved: the last request tells how far time had come
        latest = self.audit.latest()
        if latest is not None and moment(latest) > clock_base(self.store):
            set_base(self.store, moment(latest))
        self.clock = Clock(self.store)
        self._sleep = sleep
        self._late = Later()
        try:
            self._server = _Server((LOOPBACK, port), self)
        except OSError as error:
            self.store.close()
            message = (
                f"port {port} of {LOOPBACK} can't be served ({error.strerror}): choose another, or 0 for any"
            )
            raise OSError(error.errno, message) from None
        self.port: int = self._server.server_address[1]
        self.url = f"http://{LOOPBACK}:{self.port}"
        self.dialect: Dialect = vendor.dialect(
            store=self.store, audit=self.audit, clock=self.clock, folder=folder, url=self.url, **settings
        )
        self._closed = False
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed

    def serve_forever(self) -> None:
        """Stay until interrupted."""
        try:
            self._thread.join()
        except KeyboardInterrupt:
            self.close()

    def advance(self, by: timedelta) -> None:
        """Move the sandbox's time on; the company's own events are `sandbox advance`'s part."""
        advance_clock(self.store, by)

    def close(self) -> None:
        """Stop serving, cut the open connections and keep the time."""
        if self._closed:
            return
        self._closed = True
        self._late.close()
        self._server.shutdown()
        self._thread.join()
        self._server.cut_connections()
        self._server.server_close()
        self.clock.save()
        self.store.close()

    def answer(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Response:
        """The reply to one request, or RESET."""
        request = Request.parse(
            number=self.audit.next_number(), method=method, target=target, headers=headers, body=body
        )
        endpoint = self.dialect.endpoint(request)
        rows = self.dialect.rows(request)
        ids = {row_id for row_id, _ in rows if row_id is not None}
        try:
            struck = self.faults.strike(endpoint=endpoint, method=method, path=request.path, ids=ids)
        except ValueError as error:
            # a misspelt rule must not look like a healthy CRM
            struck = [FaultRule(kind="status", status=500, code="SANDBOX_FAULTS_FILE", message=str(error))]
        asked = _Asked(
            request=request, target=target, endpoint=endpoint, struck=tuple(struck), rows=tuple(rows)
        )
        late = next((rule for rule in struck if rule.kind == "late"), None)
        if late is None:
            return self._handle(asked)
        self._late.after(late.seconds, lambda: self._handle(asked))
        self._sleep(late.wait)
        return RESET

    def settle_late(self) -> None:
        """Handle now what came with a `late` fault and still waits for its time."""
        self._late.settle()

    def _handle(self, asked: _Asked) -> Response:
        try:
            request = self._prepare(asked.request, asked.struck)
            with self.store.transaction():
                response = self._respond(request, asked.target, asked.struck)
                response = self._finish(asked, response)
        except Exception:  # noqa: BLE001  # whatever a dialect raises
            if self._closed:
                return RESET
            # a server answers 500 and goes on; the cause is for the developer's screen
            traceback.print_exc()
            failure = self.dialect.refusal(500, "UNKNOWN_EXCEPTION", "An unexpected error occurred.")
            response = self._finish(asked, failure)
        return RESET if asked.is_lost else response

    def _prepare(self, request: Request, struck: Sequence[FaultRule]) -> Request:
        """Faults that come before the request is handled."""
        for rule in struck:
            if rule.kind == "delay":
                self._sleep(rule.seconds)
            elif rule.kind == "expire_session":
                self.dialect.expire(request)
            elif rule.kind == "lock":
                request = request.with_locked(rule.locks)
            elif rule.kind == "part":
                request = request.with_refused(rule.part, (rule.status, rule.code, rule.message))
            elif rule.kind == "halt":
                request = replace(request, halt_after=rule.rows)
            elif rule.kind == "edit" and rule.edit is not None:
                self.dialect.edit(rule.edit.object, rule.edit.id, rule.edit.values)
        return request

    def _respond(self, request: Request, target: str, struck: Sequence[FaultRule]) -> Response:
        if any(rule.kind == "reset_before" for rule in struck):
            return RESET
        refusal = next((rule for rule in struck if rule.kind == "status"), None)
        if refusal is not None:
            return self._refuse(refusal)
        if len(target) > MAX_TARGET:
            # "Status Codes and Error Responses", REST API Developer Guide: URIs beyond 16,384 bytes are 414
            message = f"The length of the URI exceeds the {MAX_TARGET:,}-byte limit."
            return self.dialect.refusal(414, "URI_TOO_LONG", message)
        return self.dialect.handle(request)

    def _refuse(self, rule: FaultRule) -> Response:
        if rule.body is None:
            response = self.dialect.refusal(rule.status, rule.code, rule.message)
            return Response(
                status=response.status, body=response.body, headers={**response.headers, **rule.headers}
            )
        return Response(status=rule.status, body=rule.body.encode(), headers=rule.headers)

    def _finish(self, asked: _Asked, response: Response) -> Response:
        """The reply with the vendor's headers, once it is in the audit log."""
        extra = dict(self.dialect.headers(response)) if response is not RESET else {}
        self.audit.record(
            number=asked.request.number,
            at=self.clock.now(),
            endpoint=asked.endpoint,
            method=asked.request.method,
            path=asked.request.path,
            status=0 if asked.is_lost else response.status,
            api_calls=response.api_calls,
            fault=",".join(asked.kinds) or None,
            rows=asked.rows,
        )
        if response is RESET:
            return RESET
        extra["Date"] = format_datetime(self.clock.now(), usegmt=True)
        return Response(
            status=response.status,
            body=response.body,
            headers={**response.headers, **extra},
            api_calls=response.api_calls,
        )


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        # HTTPServer.server_bind looks up the host's name, which can take seconds
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = LOOPBACK, self.server_address[1]

    def opened(self, connection: socket.socket) -> None:
        with self._open_lock:
            self._open.add(connection)

    def closed(self, connection: socket.socket) -> None:
        with self._open_lock:
            self._open.discard(connection)

    def cut_connections(self) -> None:
        """End kept-alive connections, and wait for what is being answered on them."""
        with self._open_lock:
            waiting = list(self._open)
        for connection in waiting:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002  # socketserver's own
        """A client that went away is no event for the developer's screen; anything else is."""
        if not isinstance(sys.exception(), OSError) and not self.sandbox.closed:
            traceback.print_exc()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body leave in one segment
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.server.opened(self.connection)

    def finish(self) -> None:
        self.server.closed(self.connection)
        with contextlib.suppress(OSError, ValueError):
            super().finish()

    def __getattr__(self, name: str) -> object:
        if name.startswith("do_"):  # every method: the dialect answers 405 in the vendor's own words
            return self._serve
        raise AttributeError(name)

    def _serve(self) -> None:
        sandbox = self.server.sandbox
        length = self.headers.get("Content-Length")
        if (
            "Transfer-Encoding" in self.headers
            or not (length or "0").isdigit()
            or int(length or 0) > MAX_BODY
        ):
            self.close_connection = True
            self._send(
                sandbox.dialect.refusal(413, "REQUEST_TOO_LARGE", "Send the body whole, with its length.")
            )
            return
        body = self.rfile.read(int(length or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        response = sandbox.answer(self.command, self.path, headers, body)
        if response is RESET:
            self._reset()
        else:
            self._send(response)

    def _send(self, response: Response) -> None:
        self.send_response_only(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        if response.status != 204:
            self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        if response.status != 204 and self.command != "HEAD":
            self.wfile.write(response.body)
        self.wfile.flush()

    def _reset(self) -> None:
        """A real RST: closing with a zero linger drops what is queued and tells the peer so."""
        self.close_connection = True
        self.server.closed(self.connection)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        # the request's file objects keep the socket open, so the descriptor itself is closed
        socket.close(self.connection.detach())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # http.server's own name
        """The audit log has it."""
