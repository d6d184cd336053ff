"""Drafts that were paid for already, by their question's key: an unchanged question is not asked again."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select

from sync.store import Store
from sync.store.briefs import BriefDraftRow

AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """An answer that is kept; `text` is none where no sound one came. It is checked again at each use."""

    key: str
    account_id: str
    model: str
    text: str | None
    problems: str = ""
    tries: int = 1
    cost: int = 0


def read_kept(store: Store, keys: Sequence[str]) -> dict[str, Kept]:
    """What is kept of the questions, by key."""
    found: dict[str, Kept] = {}
    with store.session() as session:
        for some in _pieces(keys):
            for row in session.scalars(select(BriefDraftRow).where(BriefDraftRow.key.in_(some))):
                found[row.key] = Kept(
                    key=row.key,
                    account_id=row.account_id,
                    model=row.model,
                    text=row.draft,
                    problems=row.problems,
                    tries=row.tries,
                    cost=row.cost_micros,
                )
    return found


def keep(store: Store, kept: Collection[Kept], now: datetime) -> None:
    """Keep answers; a later one to the same question takes the place of an earlier one."""
    if not kept:
        return
    with store.begin() as session:
        for each in kept:
            session.merge(
                BriefDraftRow(
                    key=each.key,
                    account_id=each.account_id,
                    model=each.model,
                    draft=each.text,
                    problems=each.problems,
                    tries=each.tries,
                    made_at=now,
                    cost_micros=each.cost,
                )
            )


def _pieces(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    return (keys[start : start + AT_ONCE] for start in range(0, len(keys), AT_ONCE))
