"""Identity: the lake's tables with one `account_id` in place of the CRM's account id and the exports' key.

Tickets of a helpdesk join those of the CRM: a reader of `tickets` sees all of them, wherever they live.
Deleted rows are dropped, merged losers become their survivors, second records of a customer lead to the
first, money is brought into one currency, and what matches nothing is counted, because
an account without usage data, or usage without an account, is the first thing that RevOps has to know.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import ibis
import ibis.expr.types as ir
import pyarrow as pa
from ibis.util import gen_name

from connectors.canonical import CRM_TABLES, EXPORT_TABLES
from sync.account_index import AccountIndex, build_index
from sync.aliases import Alias, final_survivors
from sync.currencies import Money
from sync.duplicates import Entry, find_duplicates
from sync.lake import Lake
from sync.lake_engine import arrow_view
from sync.lineage import Lineage
from sync.mapped_objects import OF_RECORD, with_objects

FEW: Final = 0.5  # of the accounts known to any export; below, the ids most likely don't mean the same
EXAMPLES: Final = 5  # ids shown for each kind of mismatch
UNMATCHED: Final = pa.schema([("key", pa.string()), ("account_id", pa.string())])


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityReport:
    """How well the CRM's accounts and the exports' keys meet; each kind of mismatch with a few examples."""

    accounts: int
    export_keys: int
    accounts_without_export: int
    keys_without_account: int
    ambiguous_keys: int  # own id of more than one account
    rows_dropped: Mapping[str, int] = field(default_factory=dict)  # export table -> rows of no account
    second_records: int = 0  # accounts that are another account's customer over again
    unpriced: Mapping[str, int] = field(default_factory=dict)  # currency without a rate -> rows with money
    example_accounts: tuple[str, ...] = ()
    example_keys: tuple[str, ...] = ()
    example_second_records: tuple[str, ...] = ()  # their CRM ids

    @property
    def matched_share(self) -> float:
        """The share of the accounts that some export knows, 0–1; 0 when there are no accounts."""
        return 1 - self.accounts_without_export / self.accounts if self.accounts else 0.0

    @property
    def warnings(self) -> tuple[str, ...]:
        """What makes scores worse than they could be, each with what to do about it."""
        found = [
            f"{rows:,} rows hold money in {currency}, which has no rate; their amounts count as unknown. "
            "Add it to [company] rates."
            for currency, rows in sorted(self.unpriced.items())
        ]
        if self.export_keys and self.matched_share < FEW:
            found.append(
                f"only {self.matched_share:.0%} of the accounts are known to any export; check [crm] "
                "account_external_id and each export's account_key."
            )
        if self.ambiguous_keys:
            found.append(
                f"{self.ambiguous_keys:,} of your own account ids stand on more than one account, so their "
                "exports belong to none; correct them in the CRM."
            )
        return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """The tables that the model reads, each account's CRM records, and how well they were joined."""

    tables: Mapping[str, ir.Table]
    crm_ids: Mapping[str, str]  # account_id -> crm_id
    lineage: Lineage
    report: IdentityReport


def resolve(lake: Lake, aliases: Mapping[str, Iterable[Alias]], money: Money | None = None) -> Resolved:
    """The lake's tables by `account_id`, on the lake's connection. Raises InputError for a damaged segment.

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
    index = build_index(
        ((entry.crm_id, entry.external_id) for entry in firsts), (*aliases.get("accounts", ()), *seconds)
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
    rows_of_key = _rows_of_key(exports)
    by_key = _lookup(connection, _found(index, rows_of_key))
    for name, table in exports.items():
        resolved[name] = _export_table(table, by_key, by_crm_id)
    resolved["tickets"] = _keep(
        connection, _all_tickets(resolved["tickets"], resolved.pop("helpdesk_tickets"))
    )
    report = _report(accounts, index, rows_of_key, seconds=tuple(sorted(second)), unpriced=unpriced)
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
    """An export's rows of the accounts that exist; those of a CRM's object may name the account's record."""
    kept = [name for name in table.columns if name not in {"account_key", OF_RECORD}]
    if OF_RECORD not in table.columns:
        joined = table.inner_join(by_key, table.account_key == by_key.key)
        return joined.select("account_id", *kept)
    ids = by_crm_id.select(record=by_crm_id.key, of_record=by_crm_id.account_id)
    keys = by_key.select(key=by_key.key, of_key=by_key.account_id)
    found = table.left_join(ids, table[OF_RECORD] == ids.record)
    found = found.left_join(keys, found.account_key == keys.key)
    owned = found.mutate(account_id=ibis.coalesce(found.of_record, found.of_key))
    return owned.filter(owned.account_id.notnull()).select("account_id", *kept)


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
    return connection.create_table(gen_name("resolved"), expression, temp=True)


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
        counted = table.group_by("account_key").agg(n=ibis._.count()).filter(ibis._.account_key.notnull())
        for row in counted.to_pyarrow().to_pylist():
            found.setdefault(row["account_key"], {})[name] = row["n"]
    return found


def _found(index: AccountIndex, keys: Iterable[str]) -> Mapping[str, str]:
    return {key: account_id for key in keys if (account_id := index.of_key(key)) is not None}


def _report(
    accounts: Mapping[str, str],
    index: AccountIndex,
    rows_of_key: Mapping[str, Mapping[str, int]],
    *,
    seconds: tuple[str, ...],
    unpriced: Mapping[str, int],
) -> IdentityReport:
    found = _found(index, rows_of_key)
    silent = sorted(set(accounts) - set(found.values()))
    strange = sorted(set(rows_of_key) - set(found))
    dropped: dict[str, int] = {}
    for key in strange:
        for table, rows in rows_of_key[key].items():
            dropped[table] = dropped.get(table, 0) + rows
    return IdentityReport(
        accounts=len(accounts),
        export_keys=len(rows_of_key),
        accounts_without_export=len(silent),
        keys_without_account=len(strange),
        ambiguous_keys=sum(index.is_ambiguous(key) for key in strange),
        rows_dropped=dropped,
        second_records=len(seconds),
        unpriced=unpriced,
        example_accounts=tuple(silent[:EXAMPLES]),
        example_keys=tuple(strange[:EXAMPLES]),
        example_second_records=seconds[:EXAMPLES],
    )
