"""Briefs for the accounts that get a task: each one written, with who wrote it and from what."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final, Literal

from sync.briefs.draft import Brief, BriefRequest
from sync.briefs.facts import evidence_hash
from sync.briefs.quoting import quotable_only
from sync.briefs.rendering import render
from sync.briefs.template import write_draft

if TYPE_CHECKING:
    from sync.briefs.desk import Brought, Desk

Writer = Literal["template", "anthropic"]
NOTHING: Final = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A brief, its writer, style and language, the digest of its evidence, and what it cost in US dollars.

    `fault` is why Claude did not write it, where it was asked to."""

    brief: Brief
    writer: Writer
    style: str
    language: str
    evidence_hash: str
    cost: Decimal = NOTHING
    fault: str = ""


def write_briefs(requests: Iterable[BriefRequest], desk: Desk | None = None) -> dict[str, Written]:
    """The brief of each request, by account_id: by Claude where there is a desk and its draft is sound.

    Free text that may not be quoted is left out, whoever writes."""
    asked = list(requests)
    drafts = {} if desk is None else desk.draft(asked)
    return {each.account_id: _written(quotable_only(each), drafts.get(each.account_id)) for each in asked}


def _written(request: BriefRequest, brought: Brought | None) -> Written:
    """The brief from a draft of Claude's; by the template where there is none."""
    own = None if brought is None else brought.draft
    return Written(
        brief=render(own or write_draft(request), request),
        writer="template" if own is None else "anthropic",
        style=request.style,
        language=request.language,
        evidence_hash=evidence_hash(request.facts),
        cost=NOTHING if brought is None else brought.cost,
        fault="" if brought is None or brought.fault is None else brought.fault.value,
    )
