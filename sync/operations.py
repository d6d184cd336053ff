"""Operations of the ledger: what is to be written to the CRM, fixed before the first attempt.

How far each has come is in the row's other columns, which only `sync.claims` moves:

    planned ──► claimed ──► sending ──► done
       ▲           │           └─ reply lost, or its worker died ─► unknown ──► done
       └───────────┴───────────────────── not there ───────────────────┘
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any, Final

from sqlalchemy import Row, insert
from sqlalchemy.orm import Session

from connectors.crm import TaskDraft
from sync.cells import Cell, cell_from_json
from sync.store.writeback import OperationRow

PLANNED, CLAIMED, SENDING, UNKNOWN, DONE = "planned", "claimed", "sending", "unknown", "done"


COLUMNS: Final = (
    "key", "plan_id", "run_id", "position", "kind", "object", "record_id", "account_id", "payload",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One write to the CRM as the ledger keeps it; `kind` is write, task, retire, row.*,
    fill.*, restore or close."""

    key: str
    plan_id: str
    run_id: str
    position: int
    kind: str
    object: str
    record_id: str
    account_id: str
    payload: dict[str, Any]
    lost: int = 0  # calls of unknown outcome that bore it: what the CRM then holds may be our doing

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """The cells of a write or restore."""
        return tuple(cell_from_json(held) for held in self.payload["cells"])

    @cached_property
    def draft(self) -> TaskDraft:
        """The task of a `task` operation."""
        held = self.payload["draft"]
        return TaskDraft(**(held | {"due": date.fromisoformat(held["due"])}))


def of_row(row: Row[Any]) -> Operation:
    """The operation that a row of COLUMNS holds."""
    return Operation(**row._mapping)


def add(session: Session, operations: Sequence[Operation], now: datetime) -> None:
    """Keep operations as planned. Their keys must be new."""
    if operations:
        rows = [
            {name: getattr(operation, name) for name in COLUMNS}
            | {"state": PLANNED, "attempts": 0, "updated_at": now}
            for operation in operations
        ]
        session.execute(insert(OperationRow), rows)
