"""The seal on what an older version wrote into the journal, made once, before the chain's first link.

Those entries bear no digest yet. They get their salts and digests, and a link that covers them, so that from
then on they are as safe as the others; what befell them before is nobody's to prove.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import except_, select, update
from sqlalchemy.orm import Session

from connectors.crm import RowOutcome
from connectors.errors import StateError
from sync.entry_digest import commitment, digest_of
from sync.number_ranges import ranges
from sync.store.writeback import DOOR, JournalRow, OperationRow, TaskRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """The facts of the opening link, and (id, digest) of each entry that it covers."""

    ref: dict[str, Any]
    entries: Sequence[tuple[int, str]]


def opening(session: Session, key: bytes, besides: Collection[str]) -> Sealed | None:
    """Seal what is there, `besides` what is about to be journalled; None when there is nothing.

    Raises StateError when entries bear a digest: then a chain was there, and its links were removed."""
    if session.scalars(select(JournalRow.id).where(JournalRow.digest.is_not(None)).limit(1)).first():
        raise StateError(
            "the journal's links are gone, and its entries are not.",
            record="journal_links",
            fix="see what is left: upswell audit verify; then restore the ledger from a backup",
        )
    entries, rows = [], []
    for row in session.execute(select(*JournalRow.__table__.columns).order_by(JournalRow.id)):
        salt = secrets.token_hex(16)
        digest = digest_of(key, row, commitment(salt, row.before, row.after))
        entries.append((row.id, digest))
        rows.append({"id": row.id, "salt": salt, "digest": digest})
    if rows:
        session.execute(update(JournalRow), rows, execution_options={DOOR: True})
    unjournalled = [effect for effect in unjournalled_effects(session) if effect not in besides]
    if not entries and not unjournalled:
        return None
    ref = {"entries": ranges([number for number, _ in entries]), "unjournalled": unjournalled}
    return Sealed(ref=ref, entries=entries)


def unjournalled_effects(session: Session) -> list[str]:
    """Keys of operations that took effect, and of tasks, of which the journal says nothing, in order.

    Older versions did not journal tasks. With a chain, there must be no other ones than its opening names."""
    applied = OperationRow.outcome == RowOutcome.APPLIED.value
    writes = select(OperationRow.key).where(applied, OperationRow.kind != "task")
    # a task is known by its own key: a later plan's operation may have found it made
    key = OperationRow.payload["draft"]["key"].as_string()
    made = select(key).where(applied, OperationRow.kind == "task")
    told = select(JournalRow.key).where(JournalRow.kind == "task")
    return sorted(
        {
            *session.scalars(except_(writes, select(JournalRow.operation_key))),
            *session.scalars(except_(made, told)),
            *session.scalars(except_(select(TaskRow.key), told)),
        }
    )
