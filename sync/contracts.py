"""Accounts that are invoiced under several ids: their contracts added up, the others' rows untouched.

Two records that were merged, a customer's second record, two own ids that lead to one account: each id is a
contract, and a reader of the latest invoice would take two contracts for one that changes. A contract is the
id that its rows name; rows that name a record, as those of a CRM's object do, belong to the record's own id.
How contracts add up is said in `sync/contract_series.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from math import isnan
from typing import Any, Final

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from model.days import calendar_date, day_number
from sync.account_index import own_id, short_id
from sync.contract_levels import PRODUCT, Figure, Grant, figures, grants
from sync.contract_series import FOREVER, Invoice, Together, combined
from sync.lake_engine import arrow_view
from sync.mapped_objects import OF_RECORD

CONTRACTUAL: Final = ("billing", "entitlements", "usage")
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


def with_contracts(
    connection: Any, resolved: Mapping[str, ir.Table], named: Mapping[str, ir.Table], ids: Ids
) -> dict[str, ir.Table]:
    """The tables by account_id, in which the contracts of accounts that have several add up.

    `named` are billing, entitlements and usage with the ids that their rows name. Limits and usage add up
    where each of their ids is invoiced: otherwise nothing tells two contracts from an id that changed. Only
    the rows of those accounts are read."""
    billing = named["billing"].filter(ibis._.period_start.notnull())
    shared = _of_several(connection, billing, ids)
    if not shared:
        return dict(resolved)
    days = billing.select(day=ibis.coalesce(billing.known_from.cast("date"), billing.period_start))
    newest = day_number(days.day.max().to_pyarrow().as_py())
    together = {account_id: combined(_invoices(rows), newest) for account_id, rows in shared.items()}
    bills = [_bill(account_id, row) for account_id, each in together.items() for row in each.rows]
    made = {**resolved, "billing": _with(connection, resolved["billing"], shared, bills)}
    for table, added_up in (("entitlements", _grants), ("usage", _usage)):
        several = {
            account_id: rows
            for account_id, rows in _rows(connection, named[table], shared, ids).items()
            if len(rows) > 1 and rows.keys() <= together[account_id].of.keys()
        }
        summed = [
            {"account_id": account_id, **row}
            for account_id, rows in several.items()
            for row in added_up(rows, together[account_id])
        ]
        if several:
            made[table] = _with(connection, resolved[table], several, summed)
    return made


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
    return _rows(connection, named, shared, ids)


def _rows(connection: Any, named: ir.Table, accounts: Iterable[str], ids: Ids) -> dict[str, Rows]:
    """The rows of these accounts by contract."""
    found: dict[str, dict[str, list[dict[str, Any]]]] = {account_id: {} for account_id in accounts}
    for row in named.semi_join(_accounts(connection, accounts), "account_id").to_pyarrow().to_pylist():
        found[row["account_id"]].setdefault(ids.contract(row), []).append(row)
    return dict(found)


def _with(
    connection: Any, table: ir.Table, accounts: Iterable[str], rows: Sequence[Mapping[str, Any]]
) -> ir.Table:
    """The table with these rows in place of those of some accounts."""
    others = table.anti_join(_accounts(connection, accounts), "account_id")
    made = pa.Table.from_pylist(list(rows), schema=table.schema().to_pyarrow())
    return others.union(arrow_view(connection, made))


def _accounts(connection: Any, ids: Iterable[str]) -> ir.Table:
    return arrow_view(connection, pa.table({"account_id": pa.array(ids, pa.string())}))


def _invoices(contracts: Rows) -> dict[str, list[Invoice]]:
    """The invoices of each contract; one that never says a list price sells at list, where others say it."""
    told = {name: [_invoice(row) for row in rows] for name, rows in contracts.items()}
    priced = {
        name for name, bills in told.items() if any(each.levels[LIST_ARR] is not None for each in bills)
    }
    if not priced:
        return told
    return {
        name: bills if name in priced else [replace(each, levels=_at_list(each.levels)) for each in bills]
        for name, bills in told.items()
    }


def _at_list(levels: tuple[float | None, ...]) -> tuple[float | None, ...]:
    return (*levels[:LIST_ARR], levels[ARR], *levels[LIST_ARR + 1 :])


def _invoice(row: Mapping[str, Any]) -> Invoice:
    at = day_number(row["period_start"])
    paid = at + PERIOD_DAYS - 1 if row["period_end"] is None else day_number(row["period_end"])
    return Invoice(
        at=at,
        known=_known(row, row["period_start"]),
        paid=max(at, paid),
        levels=tuple(_number(row[name]) for name in LEVELS),
        flows=tuple(_number(row[name]) for name in FLOWS),
        tier=row["plan_tier"],
        currencies=tuple(row.get(name) for name in CURRENCIES),
    )


def _number(figure: float | None) -> float | None:
    return None if figure is None or isnan(figure) else figure


def _bill(account_id: str, invoice: Invoice) -> dict[str, Any]:
    return {
        "account_id": account_id,
        "period_start": calendar_date(invoice.at),
        "period_end": calendar_date(invoice.paid),
        "plan_tier": invoice.tier,
        **dict(zip(LEVELS, invoice.levels, strict=True)),
        **dict(zip(FLOWS, invoice.flows, strict=True)),
        **dict(zip(CURRENCIES, invoice.currencies, strict=True)),
        "known_from": _moment(invoice.known),
    }


def _grants(contracts: Rows, together: Together) -> Iterator[dict[str, Any]]:
    """Limits of all contracts; products, and what nobody put a number to, as told."""
    told: dict[tuple[str, str | None], dict[int, list[Grant]]] = {}
    for name, rows in contracts.items():
        for row in rows:
            quantity = _number(row["quantity"])
            is_limit = row["kind"] != PRODUCT and row["item"] and row["valid_from"] is not None
            if not is_limit or quantity is None:
                yield _as_told(row)
                continue
            by_contract = told.setdefault((row["item"].lower(), row["kind"]), {})
            by_contract.setdefault(together.of[name], []).append(
                Grant(
                    at=day_number(row["valid_from"]),
                    known=_known(row, row["valid_from"]),
                    last=FOREVER if row["valid_to"] is None else day_number(row["valid_to"]),
                    quantity=quantity,
                )
            )
    for (item, kind), by_contract in told.items():
        for grant in grants(by_contract, together.ended):
            yield {
                "item": item,
                "kind": kind,
                "quantity": grant.quantity,
                "valid_from": calendar_date(grant.at),
                "valid_to": None if grant.last == FOREVER else calendar_date(grant.last),
                "known_from": _moment(grant.known),
            }


def _usage(contracts: Rows, together: Together) -> Iterator[dict[str, Any]]:
    """Figures of all contracts; what has no metric, day or value as told."""
    told: dict[int, list[Figure]] = {}
    for name, rows in contracts.items():
        for row in rows:
            value = _number(row["value"])
            if not row["metric"] or row["period_start"] is None or value is None:
                yield _as_told(row)
                continue
            period = (row["metric"].lower(), day_number(row["period_start"]), row["period_days"])
            known = _known(row, row["period_start"])
            told.setdefault(together.of[name], []).append(Figure(period=period, known=known, value=value))
    for figure in figures(told):
        metric, first, days = figure.period
        yield {
            "metric": metric,
            "period_start": calendar_date(first),
            "period_days": days,
            "value": figure.value,
            "known_from": _moment(figure.known),
        }


def _as_told(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: cell for name, cell in row.items() if name not in {"account_key", OF_RECORD}}


def _known(row: Mapping[str, Any], since: date) -> int:
    """The day on which a row was known, which is no day before its own first one."""
    told = row["known_from"]
    return day_number(since if told is None else max(since, told.date()))


def _moment(day: int) -> datetime:
    return datetime.combine(calendar_date(day), time.min, tzinfo=UTC)
