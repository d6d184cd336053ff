"""Who and what a forecast is split by: product, owner, segment, or several of them at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from model.amounts import CENTS, cents_of
from model.book import BASES, MODEL, Book
from model.ranges import Range, cumulants, range_of
from sync.briefs.evidence import Tables
from sync.briefs.evidence import select as rows_of_table
from sync.find_account import NamedAccount, read_names

GROUPINGS: Final = ("quarter", "product", "owner", "segment")
NONE: Final = "(none)"
BETWEEN: Final = " · "


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Expected ARR of one basis in one quarter, for one group; `count` accounts, deals or expansions."""

    group: str
    basis: str
    quarter: str
    arr: float
    beyond_horizon: float
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRange:
    """P10, P50 and P90 of a group's ARR in one quarter, or in all of them where `quarter` is empty."""

    group: str
    quarter: str
    range: Range


def group_names(
    by: Sequence[str],
    accounts: Sequence[str],
    products: Sequence[str | None],
    tables: Tables,
    names: Mapping[str, str],
) -> list[str]:
    """The group of each item, its parts joined where there are several; empty without a grouping.

    `names` are of the products by id. Every account is in each split, so groups sum to the whole."""
    known: dict[str, NamedAccount] = {}
    if {"owner", "segment"} & set(by):
        known = {account.account_id: account for account in read_names(tables)}
    owners: dict[str | None, str] = {}
    if "owner" in by:
        owners = {row["crm_id"]: row["name"] for row in rows_of_table(tables, "owners", ("crm_id", "name"))}

    def part(kind: str, account_id: str, product: str | None) -> str:
        if kind == "product":
            return names.get(product or "", product or NONE)
        account = known.get(account_id)
        if account is None:
            return NONE
        if kind == "segment":
            return account.segment or NONE
        return owners.get(account.owner_id) or account.owner_id or NONE

    kinds = [kind for kind in by if kind != "quarter"]
    return [
        BETWEEN.join(part(kind, account_id, product) for kind in kinds)
        for account_id, product in zip(accounts, products, strict=True)
    ]


def lines_of(book: Book, groups: Sequence[str]) -> tuple[Line, ...]:
    """A line for every group, basis and quarter that has an item, its ARR summed of their whole cents."""
    sums: dict[tuple[str, str, str], list[float]] = {}
    expected = cents_of(book)
    for item, (group, basis) in enumerate(zip(groups, book.bases, strict=True)):
        for at, span in enumerate(book.spans):
            if basis != MODEL and book.chance[item, at] == 0:  # a deal or a win is of one quarter
                continue
            held = sums.setdefault((group, basis, span.label), [0.0, 0.0, 0.0])
            held[0] += expected[item, at]
            held[1] += book.beyond[item, at] * book.arr[item]
            held[2] += book.counted[item]
    return tuple(
        Line(
            group=group,
            basis=basis,
            quarter=quarter,
            arr=float(arr) / CENTS,
            beyond_horizon=round(float(beyond), 2),
            count=int(count),
        )
        for (group, basis, quarter), (arr, beyond, count) in sorted(
            sums.items(), key=lambda item: (item[0][0], BASES.index(item[0][1]), item[0][2])
        )
    )


def ranges_of(book: Book, groups: Sequence[str], shocks: Sequence[float]) -> tuple[GroupRange, ...]:
    """The range of every group in each quarter and in all of them; `shocks` is the common one by quarter.

    Over all quarters an item still comes once, and a good year is taken to be good in all its quarters."""
    by_span = cumulants(book.chance, book.arr, book.spread)
    over_all = cumulants(np.minimum(book.chance.sum(axis=1), 1.0), book.arr, book.spread)
    # a book without items is one group that expects nothing
    codes = {group: at for at, group in enumerate(sorted(set(groups)) or [""])}
    place = np.array([codes[group] for group in groups], np.int64)
    made = []
    for group, code in codes.items():
        parts, whole = by_span[place == code].sum(axis=0), over_all[place == code].sum(axis=0)
        for at, span in enumerate(book.spans):
            made.append(GroupRange(group=group, quarter=span.label, range=range_of(parts[at], shocks[at])))
        mean = float(parts[:, 0].sum())
        shock = float(parts[:, 0] @ np.array(shocks)) / mean if mean > 0 else 0.0
        made.append(GroupRange(group=group, quarter="", range=range_of(whole, shock)))
    return tuple(made)
