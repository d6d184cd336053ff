"""Money in one currency: every amount of the lake's tables in the company's own, at constant rates.

A rate here is no market rate of a day but the one at which the company plans (docs/adr/0005): were it
to move, ARR would rise and fall with it, and the model would see expansions that no customer bought.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

import ibis
import ibis.expr.types as ir

MONEY: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "accounts": ("annual_revenue", "arr", "list_arr"),
        "opportunities": ("amount",),
        "billing": ("arr", "list_arr", "invoiced", "overage"),
        "assets": ("price",),
        "price_book_entries": ("price",),
    }
)
"""Tables whose rows name their currency, and their columns of money."""

OF_AN_OPPORTUNITY: Final = ("opportunity_lines", "opportunity_history")
"""Tables whose `amount` is in the currency of the row's opportunity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """The company's currency, and what one unit of each other is worth in it."""

    home: str
    rates: Mapping[str, float] = field(default_factory=dict)

    def rate_of(self, currency: str | None) -> float | None:
        """Home units for one of `currency`; 1 where no currency is named, None where no rate is known."""
        return 1.0 if currency in {None, self.home} else self.rates.get(str(currency))

    def converted(self, tables: Mapping[str, ir.Table]) -> dict[str, ir.Table]:
        """The tables with all money in the home currency, to the cent; `original_currency` is the row's.

        An amount whose currency has no rate becomes unknown: better none than one in the wrong unit."""
        made = dict(tables)
        for name, columns in MONEY.items():
            made[name] = self._table(tables[name], tables[name].currency, columns)
        deals = tables["opportunities"]
        currency_of = deals.select(deal=deals.crm_id, of_deal=deals.currency).distinct(on="deal")
        for name in OF_AN_OPPORTUNITY:
            rows = tables[name]
            joined = rows.left_join(currency_of, rows.opportunity_crm_id == currency_of.deal)
            priced = joined.mutate(amount=self._home(joined.amount, joined.of_deal))
            made[name] = priced.select(*rows.columns)
        return made

    def unpriced(self, tables: Mapping[str, ir.Table]) -> Mapping[str, int]:
        """Rows with money in a currency that has no rate, by that currency."""
        found: dict[str, int] = {}
        for name in MONEY:
            table = tables[name]
            strange = table.filter(table.currency.notnull() & self._rate(table.currency).isnull())
            for row in strange.group_by("currency").agg(n=ibis._.count()).to_pyarrow().to_pylist():
                found[row["currency"]] = found.get(row["currency"], 0) + row["n"]
        return dict(sorted(found.items()))

    def _table(self, table: ir.Table, currency: ir.Column, columns: tuple[str, ...]) -> ir.Table:
        money = {name: self._home(table[name], currency) for name in columns}
        return table.mutate(**money, original_currency=currency, currency=ibis.literal(self.home))

    def _home(self, amount: ir.Column, currency: ir.Column) -> ir.Column:
        # a home amount stays what it is, bit for bit
        same = currency.isnull() | (currency == self.home)
        return same.ifelse(amount, (amount * self._rate(currency)).round(2))

    def _rate(self, currency: ir.Column) -> ir.Column:
        known = {**self.rates, self.home: 1.0}
        return ibis.cases(*((currency == code, rate) for code, rate in sorted(known.items())))
