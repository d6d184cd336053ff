"""The Messages and Message Batches APIs on loopback: strict about what it is sent, and able to fail.

It answers as the vendor's documents say: headers, error bodies, stop reasons, usage with the prompt's cache,
results of a batch in any order. `brain` makes the text of an answer from a request, `fault` says what goes
wrong with it.
"""

from __future__ import annotations

import json
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from infra.doubles.anthropic.drafts import sound_draft
from infra.doubles.anthropic.wire import WrongError, check_batch, check_headers, check_message

KEY = "sk-ant-test-0123456789abcdef"
BYTES_A_TOKEN = 3.6
HTTP_FAULTS = {
    "busy": (429, "rate_limit_error"),
    "error": (500, "api_error"),
    "overloaded": (529, "overloaded_error"),
    "unauthorized": (401, "authentication_error"),
    "too_long": (400, "invalid_request_error"),
    "elsewhere": (307, "redirect"),
}

Brain = Callable[[dict[str, Any]], str]


def told(request: dict[str, Any]) -> dict[str, Any]:
    """The data of the account that a request asks about: the JSON of its first user message."""
    content = request["messages"][0]["content"]
    text = content if isinstance(content, str) else content[0]["text"]
    found: dict[str, Any] = json.loads(text)
    return found


def sound(request: dict[str, Any]) -> str:
    """A sound draft with the slots that the request offers; the same for the same request."""
    asked = told(request)
    chance = random.Random(json.dumps(asked, sort_keys=True))
    slots = {slot for part in asked["slots"].values() for slot in part}
    return json.dumps(
        sound_draft(asked["language"], slots, chance, price=asked["asks_for_a_price"]), ensure_ascii=False
    )


@dataclass
class FakeAnthropic:
    """What the server was sent, and how it answers."""

    brain: Brain = sound
    fault: Callable[[dict[str, Any]], str] = lambda _: ""
    retry_after: str = "0"
    polls: int = 2  # a batch ends when it was asked for so often
    ends: Callable[[str], str] = lambda _: "succeeded"  # how each question of a batch fares
    url: str = ""
    requests: list[dict[str, Any]] = field(default_factory=list)  # bodies of single questions, in order
    batches: dict[str, dict[str, Any]] = field(default_factory=dict)
    bodies: list[str] = field(default_factory=list)  # all that came, as text
    usage: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    deaf: bool = False  # takes a batch, and the reply is lost
    stopped: threading.Event = field(default_factory=threading.Event)
    _cached: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, request: dict[str, Any], fault: str = "") -> dict[str, Any]:
        """The message that answers a request."""
        text, reason = "", "end_turn"
        match fault:
            case "refusal" | "context":
                reason = {"refusal": "refusal", "context": "model_context_window_exceeded"}[fault]
            case "malformed":
                text = "Here is the brief you asked for: {"
            case "schema":
                text = json.dumps({"opener": 7, "extra": []})
            case _:
                text = self.brain(request)
        if fault == "max_tokens":
            text, reason = text[: len(text) // 2], "max_tokens"
        return {
            "id": f"msg_{len(self.requests):06d}",
            "type": "message",
            "role": "assistant",
            "model": request["model"],
            "content": [{"type": "text", "text": text}] if text else [],
            "stop_reason": reason,
            "stop_sequence": None,
            "stop_details": {"type": "refusal", "category": None} if reason == "refusal" else None,
            "usage": self._count(request, text),
        }

    def _count(self, request: dict[str, Any], text: str) -> dict[str, Any]:
        fixed = json.dumps(request.get("system", []))
        own = json.dumps(request["messages"])
        with self._lock:
            is_cached = fixed in self._cached
            self._cached.add(fixed)
            tokens = round(len(fixed) / BYTES_A_TOKEN)
            usage = {
                "input_tokens": round(len(own) / BYTES_A_TOKEN),
                "output_tokens": min(round(len(text.encode()) / BYTES_A_TOKEN) + 200, request["max_tokens"]),
                "cache_creation_input_tokens": 0 if is_cached else tokens,
                "cache_read_input_tokens": tokens if is_cached else 0,
            }
            self.usage.update(usage)
        return usage | {"service_tier": "standard"}

    def take_batch(self, body: dict[str, Any]) -> dict[str, Any]:
        """A new batch, in progress."""
        batch_id = f"msgbatch_{len(self.batches):04d}"
        self.batches[batch_id] = {"requests": body["requests"], "polls": 0, "cancelled": False}
        return self.batch(batch_id)

    def batch(self, batch_id: str) -> dict[str, Any]:
        """How a batch stands."""
        held = self.batches[batch_id]
        ended = held["polls"] >= self.polls
        fates = Counter(self.ends(each["custom_id"]) for each in held["requests"]) if ended else Counter()
        return {
            "id": batch_id,
            "type": "message_batch",
            "processing_status": "ended" if ended else "in_progress",
            "request_counts": {
                "processing": 0 if ended else len(held["requests"]),
                **{name: fates[name] for name in ("succeeded", "errored", "canceled", "expired")},
            },
            "created_at": "2026-11-23T12:00:00Z",
            "expires_at": "2026-11-24T12:00:00Z",
            "ended_at": "2026-11-23T12:30:00Z" if ended else None,
            "archived_at": None,
            "cancel_initiated_at": None,
            "results_url": f"{self.url}/v1/messages/batches/{batch_id}/results" if ended else None,
        }

    def results(self, batch_id: str) -> str:
        """Its results as JSON lines, in no order."""
        lines = []
        for each in self.batches[batch_id]["requests"]:
            fate = self.ends(each["custom_id"])
            result: dict[str, Any] = {"type": fate}
            if fate == "succeeded":
                result["message"] = self.answer(each["params"], self.fault(each["params"]))
            elif fate == "errored":
                error = {"type": "invalid_request_error", "message": "no"}
                result["error"] = {"type": "error", "request_id": "req_1", "error": error}
            lines.append(json.dumps({"custom_id": each["custom_id"], "result": result}))
        random.Random(7).shuffle(lines)
        return "\n".join(lines) + "\n"


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # head and body in one packet: two would wait for each other
    fake: FakeAnthropic

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the signature is the library's
        """Nothing."""

    def do_POST(self) -> None:  # the name is the library's
        """A question, or a batch of them."""
        text = self.rfile.read(int(self.headers.get("content-length", "0"))).decode()
        self.fake.bodies.append(text)
        try:
            check_headers(self.headers, KEY)
            body = json.loads(text)
            if self.path == "/v1/messages":
                check_message(body, len(text))
                self.fake.requests.append(body)
                self._answer(body)
            elif self.path == "/v1/messages/batches":
                check_batch(body, len(text))
                taken = self.fake.take_batch(body)
                if self.fake.deaf:
                    self.close_connection = True
                    return
                self._send(200, taken)
            else:
                raise WrongError(404, "not_found_error", "no such path")
        except WrongError as wrong:
            self._fail(wrong.status, wrong.kind, str(wrong))

    def do_GET(self) -> None:  # the name is the library's
        """How a batch stands, its results, or a list of batches."""
        try:
            check_headers(self.headers, KEY)
            path = self.path.partition("?")[0].removeprefix("/v1/messages/batches").strip("/")
            batch_id, _, rest = path.partition("/")
            if not batch_id:
                every = [self.fake.batch(name) for name in reversed(list(self.fake.batches))]
                self._send(200, {"data": every, "has_more": False, "first_id": None, "last_id": None})
            elif batch_id not in self.fake.batches:
                raise WrongError(404, "not_found_error", "no such batch")
            elif rest == "results":
                self._write(200, self.fake.results(batch_id).encode(), "application/x-jsonl")
            else:
                self.fake.batches[batch_id]["polls"] += 1
                self._send(200, self.fake.batch(batch_id))
        except WrongError as wrong:
            self._fail(wrong.status, wrong.kind, str(wrong))

    def _answer(self, body: dict[str, Any]) -> None:
        fault = self.fake.fault(body)
        self.fake.faults[fault] += 1
        if fault in HTTP_FAULTS:
            status, kind = HTTP_FAULTS[fault]
            self._fail(status, kind, "this is what the vendor says: " + json.dumps(body["messages"])[:500])
        elif fault == "hang":
            self.fake.stopped.wait(30)
            self.close_connection = True
        elif fault == "broken":
            whole = json.dumps(self.fake.answer(body)).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(whole)))
            self.end_headers()
            self.wfile.write(whole[: len(whole) // 2])
            self.wfile.flush()
            self.close_connection = True
        else:
            self._send(200, self.fake.answer(body, fault))

    def _fail(self, status: int, kind: str, message: str) -> None:
        error = {"type": kind, "message": message}
        self._send(status, {"type": "error", "error": error, "request_id": "req_test"})

    def _send(self, status: int, body: dict[str, Any]) -> None:
        self._write(status, json.dumps(body).encode(), "application/json")

    def _write(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.send_header("request-id", "req_test")
        if status == 307:
            self.send_header("location", f"{self.fake.url}/v1/messages?elsewhere")
        if status == 429:
            self.send_header("retry-after", self.fake.retry_after)
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def fake_anthropic(**options: Any) -> Iterator[FakeAnthropic]:
    """The server, up while the block runs."""
    fake = FakeAnthropic(**options)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"fake": fake}))
    server.daemon_threads = True
    fake.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        fake.stopped.set()
        server.shutdown()
        server.server_close()
        thread.join()
