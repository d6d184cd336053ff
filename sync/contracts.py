"""Accounts that are invoiced under several ids: their contracts added up, the others' rows untouched.

Two records that were merged, a customer's second record, two own ids that lead to one account: each id is a
contract, and a reader of the latest invoice would take two contracts for one that changes. A contract is the
id that its rows name; rows that name a record, as those of a CRM's object do, belong to the record's own id.
How contracts add up is said in `sync/contract_series.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from math import isnan
from typing import Any, Final

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from model.days import calendar_date, day_number
from sync.account_index import own_id, short_id
from sync.contract_series import Invoice, combined
from sync.lake_engine import arrow_view
from sync.mapped_objects import OF_RECORD

LEVELS: Final = ("arr", "seats", "list_arr")
ARR: Final = LEVELS.index("arr")
LIST_ARR: Final = LEVELS.index("list_arr")
FLOWS: Final = ("invoiced", "overage")
CURRENCIES: Final = ("currency", "original_currency")
PERIOD_DAYS: Final = 31  # of an invoice that does not say its end, as in `model/recurring.py`

Rows = Mapping[str, list[dict[str, Any]]]
"""By contract, an account's rows of a table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ids:
    """The company's own id of each CRM record that has one, merged ones too, both in the form of keys."""

    own: Mapping[str, str]

    @classmethod
    def of(cls, records: Iterable[tuple[str, str | None]]) -> Ids:
        """The ids of records, given as (crm_id, external_id)."""
        told = ((short_id(crm_id), own_id(external_id)) for crm_id, external_id in records)
        return cls(own={record: short_id(own) for record, own in told if own is not None})

    def contract(self, row: Mapping[str, Any]) -> str:
        """The contract that a row belongs to, by the record or the key that it names."""
        named = short_id(own_id(row.get(OF_RECORD)) or own_id(row["account_key"]) or "")
        return self.own.get(named, named)


def with_contracts(connection: Any, billing: ir.Table, named: ir.Table, ids: Ids) -> ir.Table:
    """`billing` by account_id, in which the contracts of accounts that have several add up.

    `named` are the same rows with the ids that they name. Only the rows of those accounts are read."""
    shared = _of_several(connection, named, ids)
    if not shared:
        return billing
    days = named.select(day=ibis.coalesce(named.known_from.cast("date"), named.period_start))
    newest = day_number(days.day.max().to_pyarrow().as_py())
    columns = billing.schema().to_pyarrow()
    rows = [
        _row(account_id, invoice)
        for account_id, contracts in shared.items()
        for invoice in combined(_invoices(contracts), newest)
    ]
    summed = pa.Table.from_pylist(rows, schema=columns)
    return _others(connection, billing, shared).union(arrow_view(connection, summed))


def _of_several(connection: Any, named: ir.Table, ids: Ids) -> dict[str, Rows]:
    """The rows of each account that has several contracts, by contract; both in the order of their names."""
    columns = [name for name in ("account_key", OF_RECORD) if name in named.columns]
    keys = named.select("account_id", *columns).distinct()
    several = keys.group_by("account_id").agg(keys=keys.count()).filter(ibis._.keys > 1)
    # most of them may be one contract under two names, such as a record of the CRM and its own id
    found: dict[str, set[str]] = {}
    for row in keys.semi_join(several, "account_id").to_pyarrow().to_pylist():
        found.setdefault(row["account_id"], set()).add(ids.contract(row))
    shared = sorted(account_id for account_id, contracts in found.items() if len(contracts) > 1)
    if not shared:
        return {}
    rows: dict[str, dict[str, list[dict[str, Any]]]] = {account_id: {} for account_id in shared}
    held = named.semi_join(_accounts(connection, shared), "account_id").to_pyarrow().to_pylist()
    for row in held:
        rows[row["account_id"]].setdefault(ids.contract(row), []).append(row)
    return {account_id: dict(sorted(contracts.items())) for account_id, contracts in rows.items()}


def _others(connection: Any, table: ir.Table, shared: Iterable[str]) -> ir.Table:
    return table.anti_join(_accounts(connection, shared), "account_id")


def _accounts(connection: Any, ids: Iterable[str]) -> ir.Table:
    return arrow_view(connection, pa.table({"account_id": pa.array(ids, pa.string())}))


def _invoices(contracts: Rows) -> list[list[Invoice]]:
    """The invoices of each contract; one that never says a list price sells at list, where others say it."""
    told = [[_invoice(row) for row in rows if row["period_start"] is not None] for rows in contracts.values()]
    priced = [any(each.levels[LIST_ARR] is not None for each in invoices) for invoices in told]
    if not any(priced):
        return told
    return [
        invoices if says else [replace(each, levels=_at_list(each.levels)) for each in invoices]
        for invoices, says in zip(told, priced, strict=True)
    ]


def _at_list(levels: tuple[float | None, ...]) -> tuple[float | None, ...]:
    return (*levels[:LIST_ARR], levels[ARR], *levels[LIST_ARR + 1 :])


def _invoice(row: Mapping[str, Any]) -> Invoice:
    at = day_number(row["period_start"])
    paid = at + PERIOD_DAYS - 1 if row["period_end"] is None else day_number(row["period_end"])
    known = at if row["known_from"] is None else max(at, day_number(row["known_from"].date()))
    return Invoice(
        at=at,
        known=known,
        paid=max(at, paid),
        levels=tuple(_number(row[name]) for name in LEVELS),
        flows=tuple(_number(row[name]) for name in FLOWS),
        tier=row["plan_tier"],
        currencies=tuple(row.get(name) for name in CURRENCIES),
    )


def _number(figure: float | None) -> float | None:
    return None if figure is None or isnan(figure) else figure


def _row(account_id: str, invoice: Invoice) -> dict[str, Any]:
    return {
        "account_id": account_id,
        "period_start": calendar_date(invoice.at),
        "period_end": calendar_date(invoice.paid),
        "plan_tier": invoice.tier,
        **dict(zip(LEVELS, invoice.levels, strict=True)),
        **dict(zip(FLOWS, invoice.flows, strict=True)),
        **dict(zip(CURRENCIES, invoice.currencies, strict=True)),
        "known_from": datetime.combine(calendar_date(invoice.known), time.min, tzinfo=UTC),
    }
