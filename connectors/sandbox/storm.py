"""A storm: a share of all writes meets a fault, of every kind that the vendor is known for.

Sources: "Status Codes and Error Responses" (503 SERVER_UNAVAILABLE) and "Core Data Types Used in API Calls"
(UNABLE_TO_LOCK_ROW, REQUEST_LIMIT_EXCEEDED) of Salesforce's REST and SOAP API guides; "Error handling" and
"API usage guidelines" (503, 429 with its policyName) of HubSpot. A reply that is lost, before or after the
write or before a write that comes late, is what any network and any proxy can do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from connectors.sandbox.faults import FaultRule

LATE_SECONDS: Final = 3.0
LATE_WAIT: Final = 0.5

WRITES: Final[Mapping[str, str]] = {
    "salesforce": "collections.create|collections.update|composite|record.update|ingest.close",
    "hubspot": "*.batch.create|*.batch.update|*.batch.upsert",
}
"""The endpoints by which records are written."""

_LOST: Final[tuple[Mapping[str, Any], ...]] = (
    {"kind": "reset_before"},
    {"kind": "reset_after"},
)
_KINDS: Final[Mapping[str, tuple[Mapping[str, Any], ...]]] = {
    "salesforce": (
        {"kind": "status", "status": 503, "headers": {"Retry-After": "1"}},
        {"kind": "lock", "share": 0.5},
        *_LOST,
    ),
    "hubspot": (
        {"kind": "status", "status": 503, "code": "SERVICE_UNAVAILABLE"},
        {"kind": "status", "status": 429, "code": "TEN_SECONDLY_ROLLING", "headers": {"Retry-After": "1"}},
        *_LOST,
    ),
}
_QUOTA: Final[Mapping[str, Mapping[str, Any]]] = {
    "salesforce": {
        "kind": "status",
        "status": 403,
        "code": "REQUEST_LIMIT_EXCEEDED",
        "message": "TotalRequests Limit exceeded.",
    },
    "hubspot": {"kind": "status", "status": 429, "code": "DAILY"},
}


def storm(
    dialect: str,
    *,
    seed: int,
    share: float = 0.34,
    quota: int = 0,
    wait: float = LATE_WAIT,
    seconds: float = LATE_SECONDS,
) -> tuple[FaultRule, ...]:
    """Rules by which `share` of the writes meet one fault each, of all kinds in equal parts.

    A late one keeps its client waiting for `wait` seconds and is applied after `seconds`. With `quota`, that
    write is refused because the day's API calls are used up."""
    late = {"kind": "late", "seconds": seconds, "wait": wait}
    kinds = (*_KINDS[dialect], late)
    part = share / len(kinds)
    rules = [
        FaultRule(
            **kind,
            endpoint=WRITES[dialect],
            seed=seed,
            above=part * position,
            probability=part * (position + 1),
        )
        for position, kind in enumerate(kinds)
    ]
    if quota:
        rules.append(FaultRule(**_QUOTA[dialect], endpoint=WRITES[dialect], request=(quota,)))
    return tuple(rules)


def as_entries(rules: tuple[FaultRule, ...]) -> list[dict[str, Any]]:
    """The rules as the objects of a faults.json."""
    return [asdict(rule) for rule in rules]
