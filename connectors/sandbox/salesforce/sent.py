"""Which records a writing call names, for the audit: read from the call, whether or not it is obeyed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping

from connectors.sandbox.salesforce.ids import normal_id
from connectors.sandbox.wire import Request, SentRow

_MANY = frozenset({"collections.create", "collections.update", "collections.upsert"})
_ONE = frozenset({"record.create", "record.update", "record.delete", "external.upsert"})


def sent_rows(request: Request, endpoint_of: Callable[[Request], str]) -> list[SentRow]:
    """The rows of a writing call, those of a composite's subrequests included; none that can't be read."""
    try:
        return list(_rows(request, endpoint_of))
    except (ValueError, RecursionError):
        return []


def _rows(request: Request, endpoint_of: Callable[[Request], str]) -> Iterator[SentRow]:
    endpoint = endpoint_of(request)
    if endpoint == "collections.delete":
        yield from ((_full(key), None) for key in request.query.get("ids", "").split(",") if key)
    elif endpoint in _MANY:
        for record in _list(_body(request), "records"):
            given = next((value for name, value in record.items() if name.lower() == "id"), None)
            yield _full(given), record
    elif endpoint in _ONE:
        parts = request.path.rstrip("/").split("/")
        yield (None if endpoint in {"record.create", "external.upsert"} else _full(parts[-1])), _body(request)
    elif endpoint == "composite":
        for entry in _list(_body(request), "compositeRequest"):
            inner = Request.parse(
                number=request.number,
                method=str(entry.get("method")),
                target=str(entry.get("url")),
                body=json.dumps(entry.get("body")).encode(),
            )
            yield from _rows(inner, endpoint_of)


def _body(request: Request) -> Mapping[str, object]:
    body = json.loads(request.body) if request.body else {}
    return body if isinstance(body, dict) else {}


def _list(body: Mapping[str, object], name: str) -> list[dict[str, object]]:
    found = body.get(name)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _full(key: object) -> str | None:
    return (normal_id(key) or key) if isinstance(key, str) else None
