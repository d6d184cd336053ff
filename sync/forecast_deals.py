"""Open expansion opportunities: as they stand, and as they stood on a day by their history."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import ibis

from model.book import Deal
from model.expansions import is_expansion
from model.target import Target
from sync.briefs.evidence import Tables, day_of
from sync.briefs.evidence import select as rows_of_table

COLUMNS = ("crm_id", "account_id", "product_id", "amount", "probability", "close_date", "original_currency")


def open_deals(tables: Tables, target: Target, currency: str) -> list[Deal]:
    """Open opportunities of the types that the target counts."""
    deals = tables["opportunities"]
    is_open = ~ibis.coalesce(deals.is_closed, False)
    table = deals.filter(is_open & is_expansion(deals, target))
    return [
        Deal(
            account_id=row["account_id"],
            amount=row["amount"],
            chance=row["probability"],
            close_date=row["close_date"],
            product=row["product_id"],
            foreign=row["original_currency"] not in (None, currency),
        )
        for row in rows_of_table({"open": table.order_by("crm_id")}, "open", COLUMNS)
    ]


def deals_on(tables: Tables, target: Target) -> Callable[[date], Sequence[Deal]]:
    """A function from a day to the deals open at its end, each as its history has it on that day.

    One whose history is not kept has amount, chance and close date unknown: as it ended would tell how."""
    deals = tables["opportunities"]
    lived = (*COLUMNS, "created_at", "closed_at", "is_closed")
    rows = rows_of_table(
        {"deals": deals.filter(is_expansion(deals, target)).order_by("crm_id")}, "deals", lived
    )
    history = _history(tables)

    def on(day: date) -> list[Deal]:
        return [_as_of(row, history.get(row["crm_id"], ()), day) for row in rows if _was_open(row, day)]

    return on


def _was_open(row: Mapping[str, Any], day: date) -> bool:
    created, closed = day_of(row["created_at"]), day_of(row["closed_at"])
    if created is None or created > day:
        return False
    # a closed one without a closing day can't be placed in time
    return closed > day if closed is not None else not row["is_closed"]


def _as_of(row: Mapping[str, Any], history: Sequence[tuple[date, Mapping[str, Any]]], day: date) -> Deal:
    at = bisect_right([since for since, _ in history], day)
    then = history[at - 1][1] if at else {}
    return Deal(
        account_id=row["account_id"],
        amount=then.get("amount"),
        chance=then.get("probability"),
        close_date=then.get("close_date"),
        product=row["product_id"],
    )


def _history(tables: Tables) -> dict[str, list[tuple[date, Mapping[str, Any]]]]:
    """The steps of each opportunity in order of time, by its record's id."""
    columns = ("opportunity_crm_id", "amount", "probability", "close_date", "changed_at")
    found: dict[str, list[tuple[datetime, Mapping[str, Any]]]] = {}
    for row in rows_of_table(tables, "opportunity_history", columns):
        if row["changed_at"] is not None:
            found.setdefault(row["opportunity_crm_id"], []).append((row["changed_at"], row))
    return {
        deal: [(moment.date(), row) for moment, row in sorted(steps, key=lambda step: step[0])]
        for deal, steps in found.items()
    }
