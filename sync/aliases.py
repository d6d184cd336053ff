"""Records that were merged away, and who survived them: kept for good, because the CRM forgets losers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.store import Store
from sync.store.tables import AliasRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Alias:
    """A loser of a merge, its survivor, and the company's own id that the loser bore (accounts only)."""

    loser: str
    survivor: str
    external_id: str | None = None


def merged_rows(page: pa.Table) -> list[Alias]:
    """The aliases that a page of a CRM table tells of."""
    merged = page.filter(pc.is_valid(page["merged_into"]))
    columns = ["crm_id", "merged_into", *(["external_id"] if "external_id" in page.column_names else [])]
    return [
        Alias(loser=row["crm_id"], survivor=row["merged_into"], external_id=row.get("external_id"))
        for row in merged.select(columns).to_pylist()
    ]


def with_own_ids(aliases: Sequence[Alias], accounts: ir.Table) -> list[Alias]:
    """The aliases, a loser's own id taken from our own copy where the CRM forgot it, as HubSpot does.

    Its exports go on under that id. `accounts` is the lake's table as it was before the merge was read."""
    nameless = [alias.loser for alias in aliases if alias.external_id is None]
    if not nameless:
        return list(aliases)
    held = accounts.filter(accounts.crm_id.isin(nameless) & accounts.external_id.notnull())
    rows = held.select("crm_id", "external_id").to_pyarrow().to_pylist()
    own = {row["crm_id"]: row["external_id"] for row in rows}
    return [replace(alias, external_id=alias.external_id or own.get(alias.loser)) for alias in aliases]


def note_aliases(session: Session, org_id: str, table: str, aliases: Iterable[Alias]) -> None:
    """Keep the aliases in the caller's transaction; what is known of a loser's own id stays known."""
    for alias in {alias.loser: alias for alias in aliases}.values():  # of two, the later
        row = session.get(AliasRow, (org_id, table, alias.loser))
        if row is None:
            session.add(
                AliasRow(
                    org_id=org_id,
                    table_name=table,
                    loser=alias.loser,
                    survivor=alias.survivor,
                    external_id=alias.external_id,
                )
            )
        else:
            row.survivor = alias.survivor
            row.external_id = alias.external_id if alias.external_id is not None else row.external_id


def load_aliases(store: Store, org_id: str) -> Mapping[str, tuple[Alias, ...]]:
    """Every alias of an org by canonical table, in the order of the losers' ids."""
    query = select(AliasRow).where(AliasRow.org_id == org_id).order_by(AliasRow.table_name, AliasRow.loser)
    found: dict[str, tuple[Alias, ...]] = {}
    with store.session() as session:
        for row in session.scalars(query):
            alias = Alias(loser=row.loser, survivor=row.survivor, external_id=row.external_id)
            found[row.table_name] = (*found.get(row.table_name, ()), alias)
    return found


def final_survivors(aliases: Iterable[Alias]) -> Mapping[str, str]:
    """Loser -> the survivor at the end of the chain of merges; a ring, which no CRM makes, is left out."""
    next_of = {alias.loser: alias.survivor for alias in aliases}
    ends: dict[str, str] = {}
    for loser, survivor in next_of.items():
        seen, at = {loser}, survivor
        while at in next_of and at not in seen:
            seen.add(at)
            at = next_of[at]
        if at not in seen:
            ends[loser] = at
    return ends
