"""What people said of scores as rows: what it was, the score beside it at that time, and what came of it.

A row for each change of an account's feedback, call or status that a plan saw (`sync.heard`). Whether the
account expanded is filled in once the horizon is over: that it did not, when no invoice can come any more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import select

from connectors.crm import Value
from model.customers import INVOICE_GRACE_DAYS
from sync.cells import Cell
from sync.heard import Heard
from sync.lineage import Lineage
from sync.outcomes import Expansion
from sync.own_rows import HeldRow
from sync.planned_rows import FEEDBACK, PlannedFill, PlannedRow
from sync.store import Store
from sync.store.tables import ModelRunRow, ScoreRow

SAID: Final = ("feedback", "csm_call", "status")
EXPANDED, NOT_EXPANDED = "expanded", "not_expanded"


def feedback_key(record_id: str, seen_at: datetime) -> str:
    """The key of a row: the account's record and the time."""
    return f"{record_id}|{seen_at.isoformat(timespec='seconds')}"


def feedback_rows(
    store: Store, heard: Iterable[Heard], owners: Mapping[str, str], lineage: Lineage, *, in_crm: bool
) -> Iterator[PlannedRow]:
    """A row for each time that somebody said something of a score, with the score of that time."""
    for each in heard:
        said = {name: each.said.get(name) for name in SAID if each.said.get(name)}
        if not said:
            continue
        account = lineage.account_now(each.account_id, each.record_id)
        values: dict[str, Value] = {
            "key": feedback_key(each.record_id, each.seen_at),
            "account": each.record_id,
            "seen_at": each.seen_at,
            **said,
            "owner": owners.get(account) or None,
            **_score_then(store, each),
        }
        yield PlannedRow(
            object=FEEDBACK,
            key=feedback_key(each.record_id, each.seen_at),
            account_id=account,
            record_id=each.record_id,
            values=values,
            in_crm=in_crm,
        )


def feedback_outcomes(
    held: Sequence[HeldRow],
    events: Sequence[Expansion],
    *,
    today: date,
    horizon_days: int,
    crm_object: str,
    field: str,
) -> Iterator[PlannedFill]:
    """Of rows without an outcome those that have one by now."""
    days: dict[str, list[date]] = {}
    for event in events:
        days.setdefault(event.account_id, []).append(event.day)
    for row in held:
        seen = row.values["seen_at"]
        if row.values.get("outcome") or not isinstance(seen, datetime):
            continue
        said_on = seen.date()
        end = said_on + timedelta(days=horizon_days)
        if today <= end:
            continue
        if any(said_on < day <= end for day in days.get(row.account_id, ())):
            outcome = EXPANDED
        elif today > end + timedelta(days=INVOICE_GRACE_DAYS):
            outcome = NOT_EXPANDED
        else:
            continue
        yield PlannedFill(
            object=FEEDBACK,
            crm_object=crm_object,
            key=row.key,
            account_id=row.account_id,
            record_id=row.record_id,
            cells=(Cell(key="outcome", name=field, before=None, after=outcome),),
        )


def _score_then(store: Store, heard: Heard) -> dict[str, Value]:
    """The account's newest score as of a day up to that on which it was said: both are the CRM's days."""
    query = (
        select(ScoreRow.probability, ScoreRow.tier, ScoreRow.model_version)
        .join(ModelRunRow, ModelRunRow.run_id == ScoreRow.run_id)
        .where(ScoreRow.crm_id == heard.record_id, ScoreRow.as_of <= heard.seen_at.date())
        .order_by(ScoreRow.as_of.desc(), ModelRunRow.scored_at.desc())
        .limit(1)
    )
    with store.session() as session:
        found = session.execute(query).first()
    if found is None:
        return {}
    return {
        "score": None if found.probability is None else round(100 * found.probability),
        "tier": found.tier,
        "probability": found.probability,
        "model_version": found.model_version,
    }
