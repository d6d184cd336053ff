"""Identity: the lake's tables with one `account_id` in place of the CRM's account id and the exports' key.

Tickets of a helpdesk join those of the CRM: a reader of `tickets` sees all of them, wherever they live.
Deleted rows are dropped, merged losers become their survivors, second records of a customer lead to the
first, money is brought into one currency, and what matches nothing is counted (`sync/identity_report.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from connectors.canonical import CRM_TABLES, EXPORT_TABLES
from model.partials import PARTIALS
from sync.account_index import build_index
from sync.aliases import Alias, final_survivors
from sync.contracts import CONTRACTUAL, Ids, with_contracts
from sync.currencies import Money
from sync.duplicates import Entry, find_duplicates
from sync.identity_report import IdentityReport, report_of
from sync.key_overrides import read_overrides
from sync.key_rules import KeyRule, domain_rule, name_rule
from sync.lake import Lake
from sync.lake_engine import arrow_view
from sync.lineage import Lineage
from sync.mapped_objects import OF_RECORD, with_objects
from sync.reduction import EVENTS
from sync.settings_exports import Identity

UNMATCHED: Final = pa.schema([("key", pa.string()), ("account_id", pa.string())])


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """The tables that the model reads, each account's CRM records, and how well they were joined."""

    tables: Mapping[str, ir.Table]
    crm_ids: Mapping[str, str]  # account_id -> crm_id
    lineage: Lineage
    report: IdentityReport


def resolve(
    lake: Lake,
    aliases: Mapping[str, Iterable[Alias]],
    money: Money | None = None,
    keys: Identity = Identity(),  # noqa: B008  # frozen
) -> Resolved:
    """The lake's tables by `account_id`, on the lake's connection.

    Raises InputError for a damaged segment, or an override file that can't be read.

    With `money`, all amounts are in its home currency. CRM tables are materialised, since the model reads
    each many times; export tables stay expressions."""
    connection, tables = lake.connection, with_objects(lake)
    unpriced: Mapping[str, int] = {}
    if money is not None:
        unpriced = money.unpriced(tables)
        tables = money.converted(tables)
    live = _live_accounts(tables["accounts"], tables["account_history"])
    seconds = find_duplicates(live)
    second = {alias.loser for alias in seconds}
    firsts = [entry for entry in live if entry.crm_id not in second]
    merged = (*aliases.get("accounts", ()), *seconds)
    index = build_index(
        ((entry.crm_id, entry.external_id) for entry in firsts),
        merged,
        rules=_rules(keys, firsts, _sites(tables["accounts"], merged)),
        overrides=read_overrides(keys.overrides),
    )
    accounts = {index.by_crm_id[entry.crm_id]: entry.crm_id for entry in firsts}
    by_crm_id = _lookup(connection, index.by_crm_id)
    own_records = _lookup(connection, {crm_id: account_id for account_id, crm_id in accounts.items()})
    contacts = _lookup(connection, final_survivors(aliases.get("contacts", ())))
    resolved = {
        name: _keep(connection, _crm_table(tables[name], by_crm_id, contacts))
        for name in CRM_TABLES
        if name != "accounts"
    }
    resolved["accounts"] = _keep(connection, _account_table(tables["accounts"], own_records, by_crm_id))
    exports = {name: tables[name] for name in EXPORT_TABLES}
    rows_of_key = _rows_of_key(exports | {EVENTS: tables["user_day"]})
    found = {key: index.match(key) for key in rows_of_key}
    by_key = _lookup(connection, {k: m.account_id for k, m in found.items() if m.account_id is not None})
    for name in (*EXPORT_TABLES, *PARTIALS):
        resolved[name] = _export_table(tables[name], by_key, by_crm_id)
    ids = Ids.of(
        (*((each.crm_id, each.external_id) for each in live), *((a.loser, a.external_id) for a in merged))
    )
    named = {name: _owned(tables[name], by_key, by_crm_id) for name in CONTRACTUAL}
    resolved = with_contracts(connection, resolved, named, ids)
    resolved["tickets"] = _keep(
        connection, _all_tickets(resolved["tickets"], resolved.pop("helpdesk_tickets"))
    )
    report = report_of(
        accounts, found, rows_of_key, seconds=tuple(sorted(second)), unpriced=unpriced, index=index
    )
    return Resolved(tables=resolved, crm_ids=accounts, lineage=Lineage.of(index.by_crm_id), report=report)


def _live_accounts(accounts: ir.Table, history: ir.Table) -> list[Entry]:
    columns = ("crm_id", "external_id", "name", "website", "parent_crm_id", "created_at")
    former: dict[str, tuple[str, ...]] = {}
    for row in _rows(
        history.filter((history.field == "name") & ~_is_deleted()), "account_crm_id", "old_value"
    ):
        former[row["account_crm_id"]] = (*former.get(row["account_crm_id"], ()), row["old_value"] or "")
    rows = _rows(accounts.filter(~_is_deleted()), *columns)
    return [Entry(**row, former_names=former.get(row["crm_id"], ())) for row in rows]


def _sites(accounts: ir.Table, merged: Iterable[Alias]) -> list[tuple[str, str | None]]:
    """The web sites of records that were merged away, as far as our copy still knows them."""
    losers = {alias.loser for alias in merged}
    if not losers:
        return []
    rows = _rows(accounts.filter(accounts.website.notnull()), "crm_id", "website")
    return [(row["crm_id"], row["website"]) for row in rows if row["crm_id"] in losers]


def _rules(
    keys: Identity, live: Sequence[Entry], merged: Sequence[tuple[str, str | None]]
) -> tuple[KeyRule, ...]:
    domains = (domain_rule(live, merged, keys.shared_domains),) if keys.domain else ()
    return (*domains, name_rule(live)) if keys.name else domains


def _account_table(accounts: ir.Table, own_records: ir.Table, by_crm_id: ir.Table) -> ir.Table:
    """One row an account: its own record's, under the account that its parent's record belongs to."""
    rows = accounts.filter(~_is_deleted())
    ids = own_records.select(crm_id=own_records.key, account_id=own_records.account_id)
    parents = by_crm_id.select(parent_crm_id=by_crm_id.key, parent_id=by_crm_id.account_id)
    joined = rows.inner_join(ids, "crm_id").left_join(parents, "parent_crm_id")
    left_out = {"is_deleted", "merged_into", "parent_crm_id"}
    return joined.select("account_id", "parent_id", *(c for c in accounts.columns if c not in left_out))


def _crm_table(table: ir.Table, by_crm_id: ir.Table, contacts: ir.Table) -> ir.Table:
    """A CRM table's live rows, its account and contact ids led to the accounts and contacts that exist."""
    rows = table.filter(~_is_deleted()).drop("is_deleted", "merged_into")
    columns = list(rows.columns)
    if "contact_crm_id" in columns:
        moved = contacts.select(contact_crm_id=contacts.key, survivor=contacts.account_id)
        joined = rows.left_join(moved, "contact_crm_id")
        rows = joined.mutate(contact_crm_id=ibis.coalesce(joined.survivor, joined.contact_crm_id)).select(
            *columns
        )
    if "account_crm_id" in columns:
        ids = by_crm_id.select(account_crm_id=by_crm_id.key, account_id=by_crm_id.account_id)
        kept = [c for c in columns if c != "account_crm_id"]
        rows = rows.inner_join(ids, "account_crm_id").select("account_id", *kept)
    return rows


def _export_table(table: ir.Table, by_key: ir.Table, by_crm_id: ir.Table) -> ir.Table:
    """An export's rows of the accounts that exist, without the ids that they name."""
    kept = [name for name in table.columns if name not in {"account_key", OF_RECORD}]
    return _owned(table, by_key, by_crm_id).select("account_id", *kept)


def _owned(table: ir.Table, by_key: ir.Table, by_crm_id: ir.Table) -> ir.Table:
    """An export's rows of the accounts that exist; those of a CRM's object may name the account's record."""
    if OF_RECORD not in table.columns:
        return table.inner_join(by_key, table.account_key == by_key.key).drop("key")
    ids = by_crm_id.select(record=by_crm_id.key, of_record=by_crm_id.account_id)
    keys = by_key.select(key=by_key.key, of_key=by_key.account_id)
    found = table.left_join(ids, table[OF_RECORD] == ids.record)
    found = found.left_join(keys, found.account_key == keys.key)
    owned = found.mutate(account_id=ibis.coalesce(found.of_record, found.of_key))
    return owned.filter(owned.account_id.notnull())


def _all_tickets(crm: ir.Table, helpdesk: ir.Table) -> ir.Table:
    """The tickets of both; a helpdesk's have no CRM record and no CRM contact."""
    shared = {
        name: helpdesk[name] if name in helpdesk.columns else ibis.null(kind)
        for name, kind in crm.schema().items()
    }
    return crm.union(helpdesk.select(**shared))


def _is_deleted() -> Any:
    return ibis.coalesce(ibis._.is_deleted, False)


def _keep(connection: Any, expression: ir.Table) -> ir.Table:
    return connection.create_table(connection.fresh_name("resolved"), expression, temp=True)


def _lookup(connection: Any, mapping: Mapping[str, str]) -> ir.Table:
    """A table of (key, account_id)."""
    columns = [pa.array(mapping.keys(), pa.string()), pa.array(mapping.values(), pa.string())]
    return arrow_view(connection, pa.Table.from_arrays(columns, schema=UNMATCHED))


def _rows(table: ir.Table, *columns: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = table.select(*columns).order_by(columns[0]).to_pyarrow().to_pylist()
    return found


def _rows_of_key(exports: Mapping[str, ir.Table]) -> Mapping[str, Mapping[str, int]]:
    """For each key that an export names: how many rows of which table bear it."""
    found: dict[str, dict[str, int]] = {}
    for name, table in exports.items():
        if OF_RECORD in table.columns:
            table = table.filter(table[OF_RECORD].isnull())  # noqa: PLW2901  # the others need no key
        n = table.events.sum() if name == EVENTS else table.count()
        counted = table.group_by("account_key").agg(n=n).filter(ibis._.account_key.notnull())
        for row in counted.to_pyarrow().to_pylist():
            found.setdefault(row["account_key"], {})[name] = row["n"]
    return found
