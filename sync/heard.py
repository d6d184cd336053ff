"""What people say of an account in the fields that are theirs, kept in the ledger as it changes.

The CRM holds only the last word. What somebody thought of a score before its outcome was known is worth
keeping beside what the model thought: a plan, which reads these fields anyway, notes each change.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from sync.store import Store
from sync.store.people import HeardRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What was said of an account: our field's key and its value, picklists in our words; without what is
    empty. `seen_at` is when a plan read it, later than it was typed in."""

    account_id: str
    record_id: str
    seen_at: datetime
    said: Mapping[str, Any]


def keep_heard(
    store: Store,
    org_id: str,
    heard: Iterable[tuple[str, str, Mapping[str, Any]]],
    *,
    run_id: str,
    now: datetime,
) -> int:
    """Note what is new among (account_id, record_id, said); of how many accounts it was.

    A record of which nothing was ever said leaves no row."""
    with store.begin() as session:
        before = {row.record_id: row.said for row in _latest(session, org_id)}
        rows = []
        for account_id, record_id, said in heard:
            told = {
                key: _plain(value) for key, value in sorted(said.items()) if value not in (None, "", False)
            }
            if told != before.get(record_id, {}):
                rows.append(
                    {
                        "org_id": org_id,
                        "record_id": record_id,
                        "account_id": account_id,
                        "seen_at": now,
                        "run_id": run_id,
                        "said": told,
                    }
                )
        if rows:
            session.execute(insert(HeardRow), rows)
    return len(rows)


def heard_of(store: Store) -> dict[str, Sequence[Heard]]:
    """Everything that was ever heard, by account, the oldest first."""
    found: dict[str, list[Heard]] = {}
    with store.session() as session:
        for row in session.scalars(select(HeardRow).order_by(HeardRow.id)):
            found.setdefault(row.account_id, []).append(
                Heard(account_id=row.account_id, record_id=row.record_id, seen_at=row.seen_at, said=row.said)
            )
    return dict(found)


def _latest(session: Session, org_id: str) -> Iterable[HeardRow]:
    newest = select(func.max(HeardRow.id)).where(HeardRow.org_id == org_id).group_by(HeardRow.record_id)
    return session.scalars(select(HeardRow).where(HeardRow.id.in_(newest)))


def _plain(value: Any) -> Any:
    """As JSON keeps it."""
    return value.isoformat() if isinstance(value, date) else value
