"""The mark on an operation whose content was erased, and what stands where the content was."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Text, cast, select
from sqlalchemy.orm import Session

from sync.store.writeback import OperationRow

MARK: Final = "erased_at"
"""The key that an erasure puts into an operation's payload."""

PLACEHOLDER: Final = "[erased]"


def marked_operations(session: Session) -> set[str]:
    """Keys of the operations that bear the mark."""
    bears = cast(OperationRow.payload, Text).contains(f'"{MARK}"', autoescape=True)
    rows = session.execute(select(OperationRow.key, OperationRow.payload).where(bears))
    return {row.key for row in rows if MARK in row.payload}
