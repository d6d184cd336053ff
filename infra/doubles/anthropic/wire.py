"""What the vendor's documents demand of a request: anything else is refused with the vendor's own errors."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

MOST_BYTES = 32 * 1024 * 1024
MOST_BATCH_BYTES = 256 * 1024 * 1024
MOST_IN_BATCH = 100_000
MOST_BREAKPOINTS = 4
KNOWN = frozenset(
    {"model", "max_tokens", "messages", "system", "output_config", "metadata", "thinking", "service_tier"}
    | {"stop_sequences", "stream", "tools", "tool_choice", "cache_control"}
)
SCHEMA_WORDS = frozenset(
    {"type", "properties", "required", "additionalProperties", "items", "description", "title", "enum"}
    | {"const", "anyOf", "allOf", "$ref", "$defs", "default", "format", "minItems"}
)


class WrongError(Exception):
    """A request that the vendor would refuse."""

    def __init__(self, status: int, kind: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind


def _demand(holds: object, message: str) -> None:
    if not holds:
        raise WrongError(400, "invalid_request_error", message)


def check_headers(headers: Mapping[str, str], key: str) -> None:
    """Who asks, in which version, in which format."""
    given = headers.get("x-api-key") or (headers.get("authorization") or "").removeprefix("Bearer ")
    if given != key:
        raise WrongError(401, "authentication_error", "invalid x-api-key")
    _demand(re.fullmatch(r"\d{4}-\d{2}-\d{2}", headers.get("anthropic-version") or ""), "anthropic-version")
    if headers.get("content-length"):
        _demand((headers.get("content-type") or "").startswith("application/json"), "content-type")


def check_message(body: dict[str, Any], size: int) -> None:
    """One question."""
    if size > MOST_BYTES:
        raise WrongError(413, "request_too_large", "request exceeds the maximum size")
    extra = set(body) - KNOWN
    _demand(not extra, f"{sorted(extra)}: Extra inputs are not permitted")
    _demand(isinstance(body.get("model"), str) and body["model"], "model: Field required")
    _demand(isinstance(body.get("max_tokens"), int) and body["max_tokens"] >= 1, "max_tokens: at least 1")
    messages = body.get("messages")
    _demand(isinstance(messages, list) and messages, "messages: at least one message is required")
    roles = [each["role"] for each in body["messages"]]
    _demand(roles[0] == "user" and roles[-1] == "user", "messages: the first and last are the user's")
    _demand(all(left != right for left, right in pairwise(roles)), "roles must alternate")
    _demand(all(each["content"] for each in body["messages"]), "messages: text content must be non-empty")
    system = body.get("system", [])
    marks = [block for block in system if isinstance(block, dict) and "cache_control" in block]
    _demand(len(marks) <= MOST_BREAKPOINTS, "a maximum of 4 blocks with cache_control may be provided")
    _demand(all(mark["cache_control"]["type"] == "ephemeral" for mark in marks), "cache_control.type")
    form = (body.get("output_config") or {}).get("format")
    if form is not None:
        _demand(form.get("type") == "json_schema", "output_config.format.type")
        _check_schema(form["schema"])


def check_batch(body: dict[str, Any], size: int) -> None:
    """Many questions."""
    if size > MOST_BATCH_BYTES:
        raise WrongError(413, "request_too_large", "batch exceeds the maximum size")
    _demand(set(body) == {"requests"}, "requests: Field required")
    ids = [each["custom_id"] for each in body["requests"]]
    _demand(1 <= len(ids) <= MOST_IN_BATCH, "requests: between 1 and 100000")
    _demand(len(set(ids)) == len(ids), "custom_id must be unique")
    _demand(all(re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", each) for each in ids), "custom_id")
    for each in body["requests"]:
        check_message(each["params"], 0)
        _demand(not each["params"].get("stream"), "stream is not supported in a batch")


def _check_schema(schema: Any) -> None:
    """Objects name all that they hold and nothing else; limits on lengths and counts are not known."""
    _demand(isinstance(schema, dict), "schema must be an object")
    unknown = set(schema) - SCHEMA_WORDS
    _demand(not unknown, f"output_config.format.schema: {sorted(unknown)} is not supported")
    if schema.get("type") == "object":
        _demand(schema.get("additionalProperties") is False, "additionalProperties must be false")
        for inner in schema.get("properties", {}).values():
            _check_schema(inner)
    if schema.get("type") == "array":
        _check_schema(schema.get("items"))
        _demand(schema.get("minItems", 0) <= 1, "minItems: only 0 and 1 are supported")
