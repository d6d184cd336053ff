"""Claims whose lease ran out, because their worker died or hung: taken back, and counted.

What was only claimed was not sent, and is planned again. What was being sent has an unknown outcome. The
third time that an operation takes its worker down it is quarantined, unless reading back may still tell.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, case, null, select, update
from sqlalchemy.orm import Session

from connectors.crm import RowOutcome
from sync.operations import CLAIMED, DONE, PLANNED, SENDING, UNKNOWN
from sync.store.writeback import OperationRow, PlanRow

HELD: Final = (CLAIMED, SENDING, UNKNOWN)
CRASHES: Final = 3
LONGEST_WAIT: Final = timedelta(hours=1)
"""No operation is ever put off for longer; what must wait longer pauses its plan."""
MESSAGE: Final = "its worker died three times while it held this operation"
NOT_KNOWN: Final = "whether it took effect is not known"
FIX: Final = "Look at the record and at the worker's log, then make a new plan."


def recover(session: Session, org_id: str, at: datetime, *, now: datetime) -> None:
    """Take back every claim of the org whose lease has run out; `at` is the machine's clock."""
    expired = (_of_org(org_id), OperationRow.state.in_(HELD), OperationRow.lease_until <= at)
    if session.scalars(select(OperationRow.key).where(*expired).limit(1)).first() is None:
        return
    freed: dict[str, Any] = {
        "owner": null(),
        "lease_until": null(),
        "due_at": null(),
        "crashes": OperationRow.crashes + 1,
        "updated_at": now,
    }
    given_up = {
        "state": DONE,
        "outcome": RowOutcome.QUARANTINED.value,
        "vendor_code": null(),
        "message": case((OperationRow.state == UNKNOWN, f"{MESSAGE}; {NOT_KNOWN}"), else_=MESSAGE),
        "fix": FIX,
    }
    last = (OperationRow.state != SENDING, OperationRow.crashes >= CRASHES - 1)
    lost = {"state": UNKNOWN, "lost": OperationRow.lost + 1, "looks": 0}
    _update(session, (*expired, *last), **freed, **given_up)
    _update(session, (*expired, OperationRow.state == CLAIMED), **freed, state=PLANNED)
    _update(session, (*expired, OperationRow.state == UNKNOWN), **freed)
    _update(session, (*expired, OperationRow.state == SENDING), **freed, **lost)


def mend_clock(session: Session, org_id: str, at: datetime, lease: timedelta) -> None:
    """Where the clock was set back, let nothing wait for the time that was.

    A lease is never cut shorter than one that begins now, since its worker may well be alive."""
    leases = (OperationRow.state.in_(HELD), OperationRow.lease_until > at + 2 * lease)
    waits = (OperationRow.state.in_((PLANNED, UNKNOWN)), OperationRow.due_at > at + LONGEST_WAIT)
    _update(session, (_of_org(org_id), *leases), lease_until=at + lease)
    _update(session, (_of_org(org_id), *waits), due_at=at)


def _of_org(org_id: str) -> ColumnElement[bool]:
    return OperationRow.plan_id.in_(select(PlanRow.id).where(PlanRow.org_id == org_id))


def _update(session: Session, conditions: tuple[ColumnElement[bool], ...], **values: Any) -> None:
    session.execute(
        update(OperationRow).where(*conditions).values(**values),
        execution_options={"synchronize_session": False},
    )
