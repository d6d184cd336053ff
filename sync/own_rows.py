"""Rows of our own objects as the ledger has them: written, or kept for want of an object in the CRM."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select

from connectors.crm import Value
from connectors.errors import UsageError
from sync.cells import from_json
from sync.planned_rows import FORECASTS, values_of_row
from sync.store import Store
from sync.store.own_rows import OwnRow
from sync.store.writeback import OperationRow


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldRow:
    """One row: its `values` by our fields' keys, filled in as they are by now; `record_id` is its own."""

    key: str
    account_id: str
    record_id: str
    values: Mapping[str, Value]


def snapshots(store: Store, org_id: str, *, quarter: str | None = None) -> list[date]:
    """The days of which the ledger has forecast rows, oldest first; with `quarter`, rows of that quarter."""
    query = select(OwnRow.snapshot).where(OwnRow.org_id == org_id, OwnRow.object == FORECASTS)
    if quarter is not None:
        query = query.where(OwnRow.quarter == quarter)
    with store.session() as session:
        found = session.scalars(query.distinct()).all()
    return sorted(day for day in found if day is not None)


def held_rows(
    store: Store,
    org_id: str,
    table: str,
    *,
    snapshot: date | None = None,
    quarter: str | None = None,
    accounts: Collection[str] | None = None,
) -> list[HeldRow]:
    """Rows of one of our objects, by key; of a snapshot, a quarter or some accounts where these are given."""
    query = (
        select(OwnRow.key, OwnRow.account_id, OwnRow.record_id, OwnRow.filled, OperationRow.payload)
        .join(OperationRow, OperationRow.key == OwnRow.operation_key)
        .where(OwnRow.org_id == org_id, OwnRow.object == table)
        .order_by(OwnRow.key)
    )
    if snapshot is not None:
        query = query.where(OwnRow.snapshot == snapshot)
    if quarter is not None:
        query = query.where(OwnRow.quarter == quarter)
    if accounts is not None:
        query = query.where(OwnRow.account_id.in_(accounts))
    with store.session() as session:
        return [
            HeldRow(
                key=row.key,
                account_id=row.account_id,
                record_id=row.record_id,
                values=values_of_row(row.payload) | filled_in(row.filled),
            )
            for row in session.execute(query)
        ]


def rows_for_a_file(store: Store, table: str) -> list[Mapping[str, Value]]:
    """Every row that was written of one of our objects, or is kept here, of whichever org, by key.

    Raises UsageError while there is none."""
    with store.session() as session:
        orgs = session.scalars(select(OwnRow.org_id).where(OwnRow.object == table).distinct()).all()
    found = [row.values for org_id in sorted(orgs) for row in held_rows(store, org_id, table)]
    if not found:
        raise UsageError(
            "no rows of a forecast were written yet.",
            record=table,
            fix="the first plan of a week brings them: upswell plan, then upswell apply",
        )
    return found


def filled_in(held: Mapping[str, Any] | None) -> dict[str, Value]:
    """What was filled in, by our fields' keys."""
    return {key: from_json(dict(value)) for key, value in (held or {}).items()}


def known_keys(store: Store, org_id: str, table: str, keys: Sequence[str]) -> set[str]:
    """Those of the keys of which there is a row."""
    query = select(OwnRow.key).where(OwnRow.org_id == org_id, OwnRow.object == table, OwnRow.key.in_(keys))
    with store.session() as session:
        return set(session.scalars(query)) if keys else set()
