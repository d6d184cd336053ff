"""The CRM's tables with all that is wrong in them, and exports under the keys and currencies in use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from connectors.sandbox.company.catalogue import EXPANSIONS
from connectors.sandbox.company.duplicates import second_records, with_second_records
from connectors.sandbox.company.mess import HOME, Mess, mess_of
from connectors.sandbox.company.messy_names import account_names_at, renaming_history
from connectors.sandbox.company.paperwork import in_currency, messy_opportunities
from connectors.sandbox.company.timing import moments
from connectors.sandbox.company.world import World

TIME: Final = pa.timestamp("us", tz="UTC")
Tables = Mapping[str, pa.Table]
OPTIONAL: Final[Mapping[str, tuple[str, ...]]] = {
    "accounts": (
        *("website", "industry", "segment", "country", "employees", "annual_revenue", "plan_tier"),
        *("list_arr", "customer_since", "contract_start", "contract_term_months", "fiscal_year_start"),
    ),
    "contacts": ("title", "department", "role"),
    "tickets": ("body", "priority"),
    "billing": ("plan_tier", "list_arr"),
    "users": ("title", "department", "name"),
    "notes": ("outcome",),
    "triggers": ("title",),
}
"""Columns that are left empty here and there."""

_EMPTY: Final = 0.025
STRANGERS: Final = ("internal-qa", "demo-tenant-eu")
"""Tenants of the product that are nobody's account."""


def messy_records(world: World, tables: Tables, until: int) -> dict[str, pa.Table]:
    """The company's records as they really stand in the CRM at the start of week `until`.

    Accounts gain external_id (the own id where the CRM knows it), currency, upsell_stage, is_deleted and
    merged_into (a key); opportunities gain currency. With a mess of 0 these hold nothing unusual."""
    mess = mess_of(world)
    now = moments(world.plan, np.array([until]), np.array([0]), np.array([0]))[0]
    plain = tables["accounts"]["name"].to_pylist()
    names = account_names_at(mess, plain, until)
    renamed = renaming_history(mess, plain, until)
    made = dict(tables) | messy_opportunities(world, mess, tables, now)
    made["accounts"] = _accounts(mess, tables["accounts"], names, renamed, _upsell_stage(world, mess, until))
    made["account_history"] = _account_history(mess, tables["account_history"], renamed)
    for name in ("accounts", "contacts", "tickets"):
        made[name] = _gaps(mess, name, made[name])
    seconds = second_records(mess, names, plain)
    return made | with_second_records(mess, made, seconds, until)


def messy_export(world: World, name: str, table: pa.Table) -> pa.Table:
    """An export as the tools deliver it: keys and currencies in use, gaps, and tenants that are nobody's."""
    mess = mess_of(world)
    if name == "billing":
        currencies = [mess.currency_of[key] for key in table["account_key"].to_pylist()]
        for column in ("arr", "list_arr", "invoiced", "overage"):
            table = _put(table, column, in_currency(table[column], currencies))
        table = _put(table, "currency", pa.array(currencies, pa.string()))
    table = _gaps(mess, name, table)
    spaced = {mess.keys[a] for a in np.nonzero(mess.spaced)[0].tolist()} if name == "billing" else set()
    shown = {key: own + " " if key in spaced else own for key, own in mess.export_key_of.items()}
    if mess.plan.mess <= 0:
        return table
    table = _put(table, "account_key", _renamed(table["account_key"], shown))
    return _with_strangers(table) if name in ("events", "users") else table


def shown_truth(world: World, table: pa.Table) -> pa.Table:
    """The truth under the own ids that CRM and exports use."""
    return _put(table, "account_key", _renamed(table["account_key"], mess_of(world).export_key_of))


def _accounts(
    mess: Mess, table: pa.Table, names: list[str], renamed: pa.Table | None, upsell_stage: pa.Array
) -> pa.Table:
    n = len(table)
    own = [key if yes else None for key, yes in zip(mess.export_keys, mess.known.tolist(), strict=True)]
    for column in ("arr", "list_arr", "annual_revenue"):
        table = _put(table, column, in_currency(table[column], mess.currencies))
    table = _put(table, "name", pa.array(names, pa.string()))
    if renamed is not None:
        at = dict(zip(renamed["account_key"].to_pylist(), renamed["changed_at"].to_pylist(), strict=True))
        keys, modified = table["account_key"].to_pylist(), table["modified_at"].to_pylist()
        later = [max(when, at.get(key, when)) for key, when in zip(keys, modified, strict=True)]
        table = _put(table, "modified_at", pa.array(later, TIME))
    table = table.append_column("external_id", pa.array(own, pa.string()))
    table = table.append_column("currency", pa.array(mess.currencies, pa.string()))
    table = table.append_column("upsell_stage", upsell_stage)
    table = table.append_column("is_deleted", pa.array([False] * n))
    return table.append_column("merged_into", pa.nulls(n, pa.string()))


def _upsell_stage(world: World, mess: Mess, until: int) -> pa.Array:
    """A field that looks predictive and is not: people fill it in once the expansion is won."""
    deals = world.deals
    stage: list[str | None] = [None] * world.plan.accounts
    if mess.plan.mess > 0:
        past = np.nonzero(deals.won & (deals.close_week < until))[0]
        for deal in past[np.argsort(deals.close_week[past], kind="stable")].tolist():
            stage[int(deals.account[deal])] = f"Upsold: {EXPANSIONS[int(deals.product[deal])].name}"
    return pa.array(stage, pa.string())


def _account_history(mess: Mess, table: pa.Table, renamed: pa.Table | None) -> pa.Table:
    keys = table["account_key"].to_pylist()
    is_arr = pc.equal(table["field"], "arr")
    currencies = [mess.currency_of[key] for key in keys]
    if any(each != HOME for each in currencies):
        for name in ("old_value", "new_value"):
            numbers = pc.if_else(is_arr, table[name], "0").cast(pa.float64())
            told = [f"{value:.2f}" for value in in_currency(numbers, currencies).to_pylist()]
            table = _put(table, name, pc.if_else(is_arr, pa.array(told, pa.string()), table[name]))
    if renamed is None:
        return table
    # in order of time: a row keeps its place, and with it its id, when the company moves on
    return pa.concat_tables([table, renamed]).sort_by(
        [("changed_at", "ascending"), ("account_key", "ascending"), ("field", "ascending")]
    )


def _gaps(mess: Mess, name: str, table: pa.Table) -> pa.Table:
    """The table with some optional cells empty; which ones depends on the record alone."""
    if mess.plan.mess <= 0 or name not in OPTIONAL or not len(table):
        return table
    numbers = _row_numbers(name, table)
    for column in OPTIONAL[name]:
        empty = mess.hits(f"gap {name} {column}", _EMPTY, numbers)
        kind = table.schema.field(column).type
        table = _put(table, column, pc.if_else(pa.array(empty), pa.scalar(None, kind), table[column]))
    return table


def _row_numbers(name: str, table: pa.Table) -> np.ndarray:
    """A number for each row that stays its own: from its key, and its day where a key has many rows."""
    key = {"contacts": "contact_key", "tickets": "ticket_key", "users": "user_id"}
    figures = pc.replace_substring_regex(table[key.get(name, "account_key")], r"\D", "")
    numbers: np.ndarray = figures.cast(pa.int64()).to_numpy()
    day = {"billing": "period_start", "notes": "written_at", "triggers": "occurred_on"}.get(name)
    if day is not None:
        numbers = numbers * 100_000 + table[day].cast(pa.date32()).cast(pa.int32()).to_numpy()
    return numbers


def _with_strangers(table: pa.Table) -> pa.Table:
    """A few rows of tenants that are nobody's account, like the first rows of the table."""
    if not len(table):
        return table
    some = table.slice(0, 6)
    parts = [table]
    for tenant in STRANGERS:
        told = {
            "account_key": pa.array([tenant] * len(some), pa.string()),
            "user_id": pa.array([f"{tenant}-{row}" for row in range(len(some))], pa.string()),
        }
        stranger = some
        for name, values in told.items():
            coded = pa.types.is_dictionary(table.schema.field(name).type)
            stranger = _put(stranger, name, values.dictionary_encode() if coded else values)
        parts.append(stranger)
    return pa.concat_tables(parts)


def _renamed(keys: pa.ChunkedArray, shown: Mapping[str, str]) -> Any:
    """Keys by their new names; of coded keys only the dictionary is touched."""
    if not pa.types.is_dictionary(keys.type):
        return pa.array([shown[key] for key in keys.to_pylist()], pa.string())
    chunk = keys.combine_chunks()
    chunk = chunk.chunk(0) if isinstance(chunk, pa.ChunkedArray) else chunk
    told = pa.array([shown[key] for key in chunk.dictionary.to_pylist()], pa.string())
    return pa.DictionaryArray.from_arrays(chunk.indices, told)


def _put(table: pa.Table, name: str, values: Any) -> pa.Table:
    return table.set_column(table.column_names.index(name), name, values)
