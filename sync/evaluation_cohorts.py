"""Judged rows in groups: what was said and what happened, by segment, plan, product, month and any column."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Final

import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pyarrow.types as kinds

from connectors.errors import UsageError
from model.backtest import Judgement
from model.features.families import CATALOGUE
from model.frame import numbers
from model.reliability import Cohort, cohorts
from model.wordsmith import write_value

COLUMNS: Final = {"segment": "segment", "plan_tier": "plan"}
"""Panel columns that rows are grouped by, with the name that people use."""
PRODUCT: Final = "product"
MONTH: Final = "month"
FEATURES: Final = (*CATALOGUE, "data_completeness")
FEW: Final = 8
"""A number with so many values, or fewer, is grouped by value; one with more by quarters of the rows."""


def check_columns(asked: Iterable[str], accounts: ir.Table) -> None:
    """Raises UsageError for a column that is neither a feature nor one of the accounts, with the nearest."""
    types = {name: kind.to_pyarrow() for name, kind in accounts.schema().items()}
    known = [*FEATURES, *(name for name, kind in types.items() if not kinds.is_nested(kind))]
    for column in asked:
        if column not in known:
            near = " or ".join(get_close_matches(column, known))
            raise UsageError(
                f"there is no column {column!r} to group by." + (f" Did you mean {near}?" if near else ""),
                record="--cohort",
                fix="name a feature of docs/features.md, or a column of the accounts such as owner_id",
            )


def cohorts_by(
    found: Judgement, asked: Sequence[str], *, offered: Sequence[str | None], accounts: ir.Table
) -> Mapping[str, tuple[Cohort, ...]]:
    """Cohorts by segment, plan, the product recommended, month of scoring, and each column `asked` for.

    A column is a feature, so as it stood on each row's day, else one of the accounts as they stand now."""
    groups: dict[str, Sequence[str | None]] = {
        name: found.rows[column].to_pylist()
        for column, name in COLUMNS.items()
        if column in found.rows.column_names
    }
    groups[PRODUCT] = offered
    groups[MONTH] = [f"{day:%Y-%m}" for day in found.rows["as_of"].to_pylist()]
    order: dict[str, Sequence[str]] = {MONTH: sorted({str(month) for month in groups[MONTH]})}
    for column in asked:
        groups[column], order[column] = _labels(found.rows, column, accounts)
    tables = {}
    for name, labels in groups.items():
        if any(labels):
            table = cohorts(found.outcome, found.probability, labels)
            places = {label: place for place, label in enumerate(order.get(name, ()))}
            tables[name] = tuple(sorted(table, key=lambda cohort: places.get(cohort.name, len(places))))
    return tables


Labels = tuple[Sequence[str | None], Sequence[str]]
"""Each row's group, and the groups of a number in its order; none for others, whose largest comes first."""


def _labels(rows: pa.Table, column: str, accounts: ir.Table) -> Labels:
    if column in FEATURES:
        return _named(rows, column)
    told = accounts.select("account_id", column).to_pyarrow()
    values = dict(zip(told["account_id"].to_pylist(), range(told.num_rows), strict=True))
    at = pa.array([values.get(account) for account in rows["account_id"].to_pylist()], pa.int64())
    return _named(told.take(at), column)


def _named(table: pa.Table, column: str) -> Labels:
    """Each row's group: its own value, or the quarter of the rows that it lies in."""
    kind = table.schema.field(column).type
    if not (kinds.is_integer(kind) or kinds.is_floating(kind) or kinds.is_decimal(kind)):
        return [None if value is None else str(value) for value in table[column].to_pylist()], ()
    values = numbers(table, column)
    known = np.unique(values[~np.isnan(values)])
    unit = CATALOGUE[column].unit if column in CATALOGUE else "count"
    if known.size <= FEW:
        labels = [None if np.isnan(value) else write_value(value, unit) for value in values.tolist()]
        return labels, [write_value(value, unit) for value in known.tolist()]
    cuts = np.unique(np.nanquantile(values, [0, 0.25, 0.5, 0.75, 1], method="nearest"))
    words = [write_value(cut, unit) for cut in cuts.tolist()]
    names = [f"{low} to {high}" for low, high in itertools.pairwise(words)]
    places = np.clip(np.searchsorted(cuts, values, side="right") - 1, 0, len(names) - 1)
    labels = [
        None if np.isnan(value) else names[place]
        for value, place in zip(values.tolist(), places, strict=True)
    ]
    return labels, names
