"""What travels between the HTTP server and a vendor's dialect."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol
from urllib.parse import parse_qs, unquote, urlsplit

SentRow = tuple[str | None, object]
"""One row of a writing request: the id of the record (None for a new one) and what is to be written."""


Refused = tuple[int, str, str]
"""Status, code and message with which a subrequest is refused."""


def _no_row(_index: int, _id: str) -> bool:
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One HTTP request as it came in; header names are in lower case."""

    number: int
    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)  # a repeated parameter's last value
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # all of them
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    locked: Callable[[int, str], bool] = _no_row  # rows (index in the call, id) that a fault keeps locked
    halt_after: int | None = None  # rows of a job after which a fault stops it
    refused: Mapping[int, Refused] = field(default_factory=dict)  # subrequests that a fault refuses, from 1

    @classmethod
    def parse(
        cls,
        *,
        number: int,
        method: str,
        target: str,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> Request:
        """The request behind a request line's target."""
        parts = urlsplit(target)
        given = parse_qs(parts.query, keep_blank_values=True)
        return cls(
            number=number,
            method=method,
            path=unquote(parts.path),
            query={name: values[-1] for name, values in given.items()},
            values={name: tuple(values) for name, values in given.items()},
            headers=headers or {},
            body=body,
        )

    def with_locked(self, locked: Callable[[int, str], bool]) -> Request:
        """The same request with some rows locked."""
        return replace(self, locked=locked)

    def with_refused(self, part: int, refused: Refused) -> Request:
        """The same request with one more of its subrequests refused."""
        return replace(self, refused={**self.refused, part: refused})


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """One HTTP reply; `api_calls` is what it costs of the org's daily quota."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    api_calls: int = 1

    @classmethod
    def of(
        cls, status: int, value: object, *, headers: Mapping[str, str] | None = None, api_calls: int = 1
    ) -> Response:
        """A reply whose body is the value as JSON."""
        body = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
        content = {"Content-Type": "application/json;charset=UTF-8"}
        return cls(status=status, body=body, headers=content | dict(headers or {}), api_calls=api_calls)


class Dialect(Protocol):
    """How one vendor answers. Everything that is the same for every CRM is the server's part."""

    def endpoint(self, request: Request) -> str:
        """The name by which a fault rule and the audit know this request's endpoint."""
        ...

    def handle(self, request: Request) -> Response:
        """The vendor's answer; runs inside one transaction of the store."""
        ...

    def refusal(self, status: int, code: str, message: str) -> Response:
        """An error of the server's own making in the vendor's shape."""
        ...

    def rows(self, request: Request) -> Sequence[SentRow]:
        """The rows that a writing request carries; none of any other, or of one that can't be read."""
        ...

    def expire(self, request: Request) -> None:
        """Make the request's session invalid for good."""
        ...

    def edit(self, object_name: str, record_id: str, values: Mapping[str, object]) -> None:
        """A person changes a record."""
        ...

    def headers(self, response: Response) -> Mapping[str, str]:
        """Headers that the vendor adds to this reply once its cost is counted."""
        ...
