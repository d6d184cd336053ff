"""Claims whose worker died, hung or failed: taken back, and counted where they may have been the cause.

What was only claimed was not sent, and is planned again. What was being sent has an unknown outcome. A lease
that runs out while the CRM is slow to be read tells nothing about the operation, and is not counted; one
that runs out while sending is, and so is a fault of ours. The third time, the operation is alone in its
claim, and is quarantined once it is known not to have happened.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, null, select, update
from sqlalchemy.orm import Session

from connectors.crm import RowOutcome
from sync.operations import CLAIMED, DONE, PLANNED, SENDING, UNKNOWN
from sync.store.writeback import OperationRow, PlanRow

HELD: Final = (CLAIMED, SENDING, UNKNOWN)
CRASHES: Final = 3
LONGEST_WAIT: Final = timedelta(hours=1)
"""No operation is ever put off for longer; what must wait longer pauses its plan."""
MESSAGE: Final = "three attempts took its worker down"
NOT_KNOWN: Final = f"{MESSAGE}; whether it took effect is not known"
FIX: Final = "Look at the record and at the worker's log, then make a new plan: upswell plan."

Conditions = Sequence[ColumnElement[bool]]


def recover(session: Session, org_id: str, at: datetime, *, now: datetime) -> None:
    """Take back every claim of the org whose lease has run out; `at` is the machine's clock."""
    expired = (_of_org(org_id), OperationRow.lease_until <= at)
    held = (*expired, OperationRow.state.in_(HELD))
    if session.scalars(select(OperationRow.key).where(*held).limit(1)).first() is None:
        return
    _free(session, (*expired, OperationRow.state == CLAIMED), now, state=PLANNED)
    _free(session, (*expired, OperationRow.state == UNKNOWN), now)
    _lose(session, expired, now)


def blame(session: Session, ours: Conditions, *, now: datetime) -> None:
    """Take back a claim whose operations made our own code fail."""
    last = (*ours, OperationRow.crashes >= CRASHES - 1)
    ended = {"state": DONE, "outcome": RowOutcome.QUARANTINED.value, "vendor_code": null(), "fix": FIX}
    more = OperationRow.crashes + 1
    _free(session, (*last, OperationRow.state == CLAIMED), now, crashes=more, message=MESSAGE, **ended)
    _free(session, (*last, OperationRow.state == UNKNOWN), now, crashes=more, message=NOT_KNOWN, **ended)
    _free(session, (*ours, OperationRow.state == CLAIMED), now, crashes=more, state=PLANNED)
    _free(session, (*ours, OperationRow.state == UNKNOWN), now, crashes=more)
    _lose(session, ours, now)


def mend_clock(session: Session, org_id: str, at: datetime, lease: timedelta) -> None:
    """Where the clock was set back, let nothing wait for the time that was.

    A lease is never cut shorter than one that begins now, since its worker may well be alive."""
    leases = (OperationRow.state.in_(HELD), OperationRow.lease_until > at + 2 * lease)
    waits = (OperationRow.state.in_((PLANNED, UNKNOWN)), OperationRow.due_at > at + LONGEST_WAIT)
    _update(session, (_of_org(org_id), *leases), lease_until=at + lease)
    _update(session, (_of_org(org_id), *waits), due_at=at)


def _of_org(org_id: str) -> ColumnElement[bool]:
    return OperationRow.plan_id.in_(select(PlanRow.id).where(PlanRow.org_id == org_id))


def _lose(session: Session, conditions: Conditions, now: datetime) -> None:
    """Of what was being sent nobody knows what became; where a job bears it, that job is looked at."""
    sending = (*conditions, OperationRow.state == SENDING)
    _free(session, (*sending, OperationRow.job.is_not(None)), now, state=UNKNOWN, looks=0)
    counts = {"crashes": OperationRow.crashes + 1, "lost": OperationRow.lost + 1, "looks": 0}
    _free(session, sending, now, state=UNKNOWN, **counts)


def _free(session: Session, conditions: Conditions, now: datetime, **values: Any) -> None:
    free = {"owner": null(), "lease_until": null(), "due_at": null(), "updated_at": now}
    _update(session, conditions, **free, **values)


def _update(session: Session, conditions: Conditions, **values: Any) -> None:
    session.execute(
        update(OperationRow).where(*conditions).values(**values),
        execution_options={"synchronize_session": False},
    )
