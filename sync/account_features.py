"""One account's features: each value with the source rows that made it, and what moved between two days."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import ibis
import numpy as np
import pyarrow as pa

from model.days import calendar_date, day_number
from model.features.families import CATALOGUE
from model.features.feature import Family, Feature, Trace
from model.features.limit_weeks import FAR, limit_figures, metered_use
from model.features.peers import ALIKE, peer_groups
from model.features.ticket_text import text_rules
from model.groups import top_parents
from model.panel import COMPLETE_AFTER_DAYS
from model.partials import usage_by_day
from model.peer_products import peers_and_products, product_holdings
from model.product import Product
from model.source_rows import SourceRows, source_rows
from model.sources import read_sources
from model.target import Target
from model.workspace import Workspace
from sync.snapshot_rows import DayRows

if TYPE_CHECKING:
    import ibis.expr.types as ir


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A feature that differs between two days; `size` is the change in standard deviations over all accounts.

    It is None where there is nothing to measure: for a text, or a value known on one of the days only."""

    feature: Feature
    before: Any
    after: Any
    size: float | None


def rows_behind(
    tables: Mapping[str, ir.Table],
    day: DayRows,
    account_id: str,
    families: Iterable[Family],
    *,
    limit: int,
    products: tuple[Product, ...],
) -> Mapping[str, tuple[SourceRows, ...]]:
    """By feature: the source rows behind its value on that day, at most `limit` a table, newest first."""
    rules = text_rules(products)
    eve = day_number(day.day) - COMPLETE_AFTER_DAYS
    values = day.row(account_id).to_pylist()[0]
    parents = _parents(tables)
    found: dict[str, tuple[SourceRows, ...]] = {}
    held: dict[str, SourceRows] = {}  # many features are made of the same rows
    with Workspace(next(iter(tables.values())).get_backend()) as space:
        clean = read_sources(tables, space)
        sources = {**clean, **usage_by_day(tables, clean, space)}
        for family in families:
            for feature in family.features:
                traces = family.traced(feature)
                for trace in traces:
                    if repr(trace) not in held:
                        accounts = [account_id] if not trace.alike else _alike(day, values, trace, parents)
                        held[repr(trace)] = source_rows(
                            sources, trace, accounts, eve=eve, limit=limit, rules=rules
                        )
                found[feature.name] = tuple(held[repr(trace)] for trace in traces)
    return found


def products_of_peers(
    tables: Mapping[str, ir.Table],
    day: DayRows,
    account_id: str,
    *,
    target: Target,
    products: tuple[Product, ...],
) -> list[dict[str, Any]]:
    """A line for each product that anybody holds: whether the account owns it, and what accounts alike do.

    `peers` are other customers of the same segment and industry; `peers_own` and `peers_taken_90`, `_180` are
    how many of them own it, and took it up in the last 90 and 180 days. The most taken up comes first."""
    eve = day_number(day.day) - COMPLETE_AFTER_DAYS
    ids = day.rows.table["account_id"].combine_chunks()
    with Workspace(next(iter(tables.values())).get_backend()) as space:
        sources = read_sources(tables, space)
        members = space.keep(ibis.memtable(pa.table({"account_id": ids, "day": [eve] * len(ids)})))
        members = space.keep(peer_groups(sources, members, [eve], space))
        holdings = space.keep(product_holdings(sources, [eve], space, target=target, products=products))
        found = peers_and_products(members, holdings, ALIKE)
        lines = found.filter(found.account_id == account_id).to_pyarrow().to_pylist()
    kept = ("product", "owns", "peers", "peers_own", "peers_taken_90", "peers_taken_180")
    lines.sort(key=lambda line: (-line["peers_taken_180"], -line["peers_own"], line["product"]))
    return [{name: line[name] for name in kept} | {"owns": line["owns"] == 1} for line in lines]


def limits_of(tables: Mapping[str, ir.Table], day: DayRows, account_id: str) -> list[dict[str, Any]]:
    """A line for each metered limit of the account: use, trend, weeks above, days to the limit and its date.

    The fullest comes first. `reached_on` is None where the limit is far, falling, or reached already."""
    eve = day_number(day.day) - COMPLETE_AFTER_DAYS
    with Workspace(next(iter(tables.values())).get_backend()) as space:
        sources = read_sources(
            {name: table.filter(table.account_id == account_id) for name, table in _metering(tables).items()},
            space,
        )
        rows = ibis.memtable(pa.table({"row": [0], "account_id": [account_id], "day": [eve]}))
        found = limit_figures(rows, [eve], metered_use(sources, space), space).to_pyarrow().to_pylist()
    lines = []
    for line in sorted(found, key=lambda each: (-each["use"], each["item"])):
        ahead = line["days_to_limit"]
        reached = calendar_date(eve + math.ceil(ahead)) if 0 < ahead < FAR else None
        lines.append({name: value for name, value in line.items() if name != "row"} | {"reached_on": reached})
    return lines


def _metering(tables: Mapping[str, ir.Table]) -> Mapping[str, ir.Table]:
    return {name: tables[name] for name in ("usage", "entitlements") if name in tables}


def moves_between(before: DayRows, after: DayRows, account_id: str) -> list[Move]:
    """What differs, the largest move first; texts and what came to be known or unknown stand before them.

    Raises UsageError when the account was no active customer on one of the days."""
    then, now = before.values(account_id), after.values(account_id)
    moves = [
        Move(feature=CATALOGUE[name], before=then.get(name), after=value, size=_size(after, name, then, now))
        for name, value in now.items()
        if then.get(name) != value
    ]
    return sorted(moves, key=lambda move: -(math.inf if move.size is None else move.size))


def _size(after: DayRows, name: str, then: Mapping[str, Any], now: Mapping[str, Any]) -> float | None:
    """The change over the spread of the feature among all accounts; 0 where all others are alike."""
    old, new = then.get(name), now[name]
    if CATALOGUE[name].categorical or old is None or new is None:
        return None
    column = after.rows.table[name].to_numpy()
    known = column[~np.isnan(column)]
    spread = float(np.std(known)) if known.size > 1 else 0.0
    return abs(new - old) / spread if spread > 0 else 0.0


def _alike(
    day: DayRows, values: Mapping[str, Any], trace: Trace, parents: Mapping[str, str | None]
) -> list[str]:
    """The accounts that the trace compares this one with."""
    table = day.rows.table
    own = values["account_id"]
    ids: list[str] = table["account_id"].to_pylist()
    if trace.alike == ("all",):
        return ids
    if trace.alike in {("siblings",), ("group",)}:
        tops = top_parents(parents)
        same = [each for each in ids if tops.get(each, each) == tops.get(own, own)]
        return same if trace.alike == ("group",) else [each for each in same if each != own]
    columns = {name: _coarse(table, name) for name in trace.alike}
    mine = ids.index(own)
    return [
        each
        for place, each in enumerate(ids)
        if place != mine and all(column[place] == column[mine] for column in columns.values())
    ]


def _coarse(table: pa.Table, name: str) -> Sequence[Any]:
    """The values by which accounts are alike; a size is a power of two of seats."""
    if name != "size":
        return [value or "" for value in table[name].to_pylist()]
    seats = table["seats"].to_numpy()
    return [math.floor(math.log2(each)) if each > 0 else -1 for each in seats]


def _parents(tables: Mapping[str, ir.Table]) -> Mapping[str, str | None]:
    accounts = tables.get("accounts")
    if accounts is None or "parent_id" not in accounts.columns:
        return {}
    found = accounts.select("account_id", "parent_id").to_pyarrow()
    return dict(zip(found["account_id"].to_pylist(), found["parent_id"].to_pylist(), strict=True))
