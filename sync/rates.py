"""What other currencies are worth in the company's: by its settings, else by what the CRM tells.

The settings go first (docs/adr/0005). The CRM's rates fill what they leave open: the rate that a currency
has whatever the day, else the one that held on the day when the CRM told it. One rate for a currency, for the
past as for today.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Final

import ibis.expr.types as ir

from sync.currencies import Money
from sync.settings import Company

_COLUMNS: Final = ("currency", "rate", "valid_from", "told_on", "is_deleted")


def money_of(company: Company, told: ir.Table | None) -> Money:
    """The company's currency and rates; `told` is the lake's table of exchange rates, where there is one."""
    if told is None:
        return Money(home=company.currency, rates=company.rates)
    columns = [name for name in _COLUMNS if name in told.columns]
    rows = told.select(*columns).to_pyarrow().to_pylist()
    return Money(home=company.currency, rates={**rates_in(company.currency, rows), **company.rates})


def rates_in(home: str, rows: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """Home units for one of each other currency; none where the CRM has no rate for the home currency."""
    best: dict[str, tuple[tuple[bool, date], float]] = {}
    for row in rows:
        currency, rate = row["currency"], row["rate"]
        if row.get("is_deleted") or currency is None or not rate or rate < 0 or not _holds(row):
            continue
        # a rate without a day goes before any with one; of those, the one that began last
        rank = (row["valid_from"] is None, row["valid_from"] or date.min)
        if currency not in best or rank > best[currency][0]:
            best[currency] = (rank, float(rate))
    if home not in best:
        return {}
    one = best[home][1]
    return {currency: rate / one for currency, (_, rate) in best.items() if currency != home}


def _holds(row: Mapping[str, Any]) -> bool:
    """Whether the rate held on the day when it was told, or before."""
    begins, told_on = row["valid_from"], row["told_on"]
    return begins is None or told_on is None or begins <= told_on
