"""Which records a writing call names, for the audit: read from the call, whether or not it is obeyed."""

from __future__ import annotations

import json
from collections.abc import Mapping

from connectors.sandbox.wire import Request, SentRow

_NAMED = frozenset({"batch.update", "batch.archive"})  # inputs that name a record by its id
_NEW = frozenset({"batch.create", "batch.upsert"})


def sent_rows(request: Request, method: str, parts: Mapping[str, str]) -> list[SentRow]:
    """The rows of a writing call about records, by the name of its method; none that can't be read."""
    try:
        body = json.loads(request.body) if request.body else {}
    except (ValueError, RecursionError):
        return []
    if not isinstance(body, dict):
        return []
    if method in {"create", "update", "archive"} and "object_name" in parts:
        return [(parts.get("record_id"), body.get("properties"))]
    if method not in _NAMED | _NEW:
        return []
    inputs = body.get("inputs")
    rows = [each for each in inputs if isinstance(each, dict)] if isinstance(inputs, list) else []
    if method in _NEW:
        return [(None, each.get("properties")) for each in rows]
    return [(str(each.get("id")), each.get("properties")) for each in rows]
