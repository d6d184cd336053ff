"""What is left of an operation whose content was erased: its shape, a mark, and a word where texts were."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from sqlalchemy import Text, cast, select
from sqlalchemy.orm import Session

from sync.chain import ERASURE, sound_links
from sync.store.writeback import OperationRow

MARK: Final = "erased_at"
"""The key that an erasure puts into an operation's payload."""

PLACEHOLDER: Final = "[erased]"
DRAFT: Final = ("subject", "body", "contact_crm_id")
TEXTS: Final = ("why", "note", "subject")

Speaks = Callable[[str], bool]
"""Whether a text must go."""


def emptied_payload(payload: Mapping[str, Any], speaks: Speaks | None) -> dict[str, Any] | None:
    """An operation's payload without the cells and texts that speak of a person; `speaks` None: without any.

    Gives None when there is nothing to take out."""
    left = dict(payload)
    if "cells" in left:
        left["cells"] = [_emptied_cell(cell, speaks) for cell in left["cells"]]
    if "draft" in left:
        left["draft"] = _emptied_texts(left["draft"], DRAFT, speaks)
    left = _emptied_texts(left, TEXTS, speaks)
    return None if left == payload else left


def marked_operations(session: Session, plan_id: str | None = None) -> set[str]:
    """Keys of the operations that bear the mark, of one plan or all."""
    bears = cast(OperationRow.payload, Text).contains(f'"{MARK}"', autoescape=True)
    query = select(OperationRow.key, OperationRow.payload).where(bears)
    if plan_id is not None:
        query = query.where(OperationRow.plan_id == plan_id)
    return {row.key for row in session.execute(query) if MARK in row.payload}


def were_erased(session: Session, keys: set[str]) -> bool:
    """Whether links of the chain say of every one of these operations that it was erased."""
    links = sound_links(session, ERASURE)
    return bool(keys) and keys <= {key for link in links for key in link.ref["operations"]}


def speaks_in(held: object, speaks: Speaks) -> bool:
    """Whether a text anywhere in a value kept as JSON must go."""
    match held:
        case str(text):
            return speaks(text)
        case {"points": list(points)}:  # a text that no database holds
            return speaks("".join(map(chr, points)))
        case dict():
            return any(speaks_in(value, speaks) for value in held.values())
        case list():
            return any(speaks_in(value, speaks) for value in held)
    return False


def _emptied_cell(cell: Mapping[str, Any], speaks: Speaks | None) -> dict[str, Any]:
    if speaks is not None and not speaks_in([cell["before"], cell["after"]], speaks):
        return dict(cell)
    return {**cell, "before": {"value": PLACEHOLDER}, "after": {"value": PLACEHOLDER}}


def _emptied_texts(held: Mapping[str, Any], names: tuple[str, ...], speaks: Speaks | None) -> dict[str, Any]:
    gone = {
        name: PLACEHOLDER
        for name in names
        if isinstance(text := held.get(name), str) and (speaks is None or speaks(text))
    }
    return {**held, **gone}
