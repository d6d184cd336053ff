"""Composite: up to 25 subrequests in one API call, which may refer to each other's results.

Source: "Composite", REST API Developer Guide.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from connectors.sandbox.salesforce.call import Call
from connectors.sandbox.salesforce.describe import checked_version
from connectors.sandbox.salesforce.errors import RefusalError
from connectors.sandbox.wire import Request, Response

MAX_SUBREQUESTS = 25
MAX_HEAVY = 5  # queries and sObject Collections
INHERITED = frozenset({"accept", "authorization", "content-type"})
"""Headers that come from the call itself: "Composite Subrequest" refuses the call that repeats one."""

_HEAVY = re.compile(r"/services/data/v\d+\.\d/(query|queryAll|composite/sobjects)(/|\?|$)")
_ALLOWED = re.compile(
    r"/services/data/(v\d+\.\d)/(sobjects|query|queryAll|composite/sobjects|limits)(/|\?|$)"
)
_REFERENCE = re.compile(r"@\{([A-Za-z][A-Za-z0-9_]*)((?:\.[A-Za-z0-9_]+|\[\d+\])*)\}")
_STEP = re.compile(r"\.([A-Za-z0-9_]+)|\[(\d+)\]")
_REFERENCE_ID = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")


class _RolledBackError(Exception):
    """Leaves the transaction of an all-or-none call."""


class _HaltedError(Exception):
    """A subrequest refers to one that did not succeed."""


def composite(call: Call) -> Response:
    """POST /composite."""
    body = call.json()
    requests = _requests(body)
    all_or_none = body.get("allOrNone") is True
    done: list[tuple[str, Response]] = []
    try:
        with call.org.store.transaction():
            for number, entry in enumerate(requests, start=1):
                response = _answer(call, number, entry, dict(done))
                done.append((str(entry["referenceId"]), response))
                if all_or_none and response.status >= 400:
                    raise _RolledBackError
    except _RolledBackError:
        failed = len(done) - 1
        done = [(name, response if i == failed else _halted()) for i, (name, response) in enumerate(done)]
        done += [(str(entry["referenceId"]), _halted()) for entry in requests[failed + 1 :]]
    text = ",".join(_result(name, response) for name, response in done)
    return Response(
        status=200,
        body=f'{{"compositeResponse":[{text}]}}'.encode(),
        headers={"Content-Type": "application/json;charset=UTF-8"},
    )


def _answer(call: Call, number: int, entry: Mapping[str, object], done: Mapping[str, Response]) -> Response:
    if number in call.request.refused:
        return RefusalError(*call.request.refused[number]).response()
    try:
        return call.dispatch(_request(call, entry, done))
    except _HaltedError:
        return _halted()


def _requests(body: Mapping[str, object]) -> list[dict[str, object]]:
    requests = body.get("compositeRequest")
    if not isinstance(requests, list) or not requests or not all(isinstance(r, dict) for r in requests):
        raise RefusalError(400, "JSON_PARSER_ERROR", "compositeRequest must be a list of subrequests.")
    if len(requests) > MAX_SUBREQUESTS:
        raise RefusalError(
            400, "LIMIT_EXCEEDED", f"The request can't contain more than {MAX_SUBREQUESTS} operations."
        )
    seen = set()
    heavy = 0
    for entry in requests:
        name, url, method = entry.get("referenceId"), entry.get("url"), entry.get("method")
        if not isinstance(name, str) or not _REFERENCE_ID.match(name) or name in seen:
            raise RefusalError(
                400, "INVALID_INPUT", f"referenceId {name!r} is missing, malformed or used twice."
            )
        seen.add(name)
        if not isinstance(url, str) or not isinstance(method, str):
            raise RefusalError(400, "INVALID_INPUT", f"Subrequest {name} needs a method and a url.")
        repeated = sorted({str(each) for each in _headers(entry)} & INHERITED)
        if repeated:
            message = f"Subrequest {name} must not set the header {', '.join(repeated)}."
            raise RefusalError(400, "INVALID_INPUT", message)
        heavy += bool(_HEAVY.match(url))
    if heavy > MAX_HEAVY:
        message = f"The request can't contain more than {MAX_HEAVY} sObject Collections or query operations."
        raise RefusalError(400, "LIMIT_EXCEEDED", message)
    return requests


def _request(call: Call, entry: Mapping[str, object], done: Mapping[str, Response]) -> Request:
    url = _resolved_text(str(entry["url"]), done)
    allowed = _ALLOWED.match(url)
    if allowed is None:
        raise RefusalError(400, "INVALID_INPUT", f"The url {url} is not supported in a composite request.")
    checked_version(allowed.group(1))
    content = json.dumps(_resolved(entry["body"], done)).encode() if "body" in entry else b""
    request = Request.parse(
        number=call.request.number,
        method=str(entry["method"]),
        target=url,
        headers=_headers(entry),
        body=content,
    )
    return request.with_locked(call.request.locked)


def _headers(entry: Mapping[str, object]) -> dict[str, str]:
    headers = entry.get("httpHeaders")
    if not isinstance(headers, dict):
        return {}
    return {str(name).lower(): str(value) for name, value in headers.items()}


def _resolved(value: object, done: Mapping[str, Response]) -> object:
    match value:
        case str():
            return _resolved_text(value, done)
        case list():
            return [_resolved(item, done) for item in value]
        case dict():
            return {name: _resolved(item, done) for name, item in value.items()}
    return value


def _resolved_text(text: str, done: Mapping[str, Response]) -> str:
    return _REFERENCE.sub(lambda match: _referenced(match, done), text)


def _referenced(match: re.Match[str], done: Mapping[str, Response]) -> str:
    response = done.get(match.group(1))
    if response is None:
        raise RefusalError(
            400, "INVALID_INPUT", f"Invalid reference specified: no subrequest {match.group(1)} came before."
        )
    if response.status >= 400:
        raise _HaltedError
    value = json.loads(response.body)
    for name, index in _STEP.findall(match.group(2)):
        try:
            value = value[name] if name else value[int(index)]
        except (KeyError, IndexError, TypeError):
            message = f"Invalid reference specified. No value for {match.group(2)} found in {match.group(1)}"
            raise RefusalError(400, "PROCESSING_HALTED", message) from None
    return str(value)


def _halted() -> Response:
    message = "The transaction was rolled back since another operation in the same transaction failed."
    return Response.of(400, [{"errorCode": "PROCESSING_HALTED", "message": message}])


def _result(name: str, response: Response) -> str:
    body = response.body.decode() or "null"
    location = response.headers.get("Location")
    headers = json.dumps({"Location": location} if location else {})
    head = f'{{"body":{body},"httpHeaders":{headers},"httpStatusCode":{response.status},'
    return f'{head}"referenceId":{json.dumps(name)}}}'
