"""Briefs for the accounts that get a task: each one written, with who wrote it and from what."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

from sync.briefs.draft import Brief, BriefRequest
from sync.briefs.facts import evidence_hash
from sync.briefs.rendering import render
from sync.briefs.template import write_draft

Writer = Literal["template", "anthropic"]
NOTHING: Final = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A brief, its writer, style and language, the digest of its evidence, and what it cost in US dollars."""

    brief: Brief
    writer: Writer
    style: str
    language: str
    evidence_hash: str
    cost: Decimal = NOTHING


def write_briefs(requests: Iterable[BriefRequest]) -> dict[str, Written]:
    """The brief of each request, by account_id."""
    return {request.account_id: write_by_template(request) for request in requests}


def write_by_template(request: BriefRequest) -> Written:
    """The built-in brief, which needs nobody else and cannot fail."""
    return Written(
        brief=render(write_draft(request), request),
        writer="template",
        style=request.style,
        language=request.language,
        evidence_hash=evidence_hash(request.facts),
    )
