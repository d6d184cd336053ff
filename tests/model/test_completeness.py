"""Less data lower the completeness of a score, and never fail it."""

from __future__ import annotations

import random
from datetime import date
from typing import Any

import ibis
import numpy as np
import pytest

from model.completeness import OPTIONAL
from model.features.families import FAMILIES
from model.panel import Rows, build_rows
from model.product import Product
from model.target import Target

AS_OF = date(2026, 2, 2)
KEPT = {"billing": ("account_id", "period_start", "arr")}  # whoever is billed is a customer


@pytest.fixture(scope="module")
def whole(tiny: Any, catalogue: tuple[Product, ...]) -> Rows:
    """The rows with all of the data."""
    return build_rows(tiny.tables(), as_of=AS_OF, target=Target(), products=catalogue)


@pytest.mark.parametrize("seed", [1, 2])
def test_any_part_of_the_data_is_enough_to_go_on(
    seed: int, tiny: Any, whole: Rows, catalogue: tuple[Product, ...]
) -> None:
    """Without some tables and columns there are fewer features and a lower completeness, and no error."""
    rng = random.Random(seed)
    tables, dropped = tiny.tables(), set()
    for name, table in list(tables.items()):
        if name not in KEPT and rng.random() < 0.3:
            dropped.add((name, None))
            del tables[name]
            continue
        free = [c for c in table.columns if c not in {"account_id", *KEPT.get(name, ())}]
        gone = [column for column in free if rng.random() < 0.25]
        dropped |= {(name, column) for column in gone}
        if rng.random() < 0.5:  # an export that has no such column is read with an empty one
            tables[name] = table.mutate(**{c: ibis.null(table.schema()[c]) for c in gone}) if gone else table
        else:
            tables[name] = table.drop(*gone)
    less = build_rows(tables, as_of=AS_OF, target=Target(), products=catalogue)
    assert less.table["account_id"].to_pylist() == whole.table["account_id"].to_pylist()
    now, before = (each.table["data_completeness"].to_numpy() for each in (less, whole))
    assert (now < before).all()
    for family in FAMILIES:
        missing = {
            f"{table}.{column}"
            for table, columns in family.needs.items()
            for column in columns
            if column not in OPTIONAL and {(table, None), (table, column)} & dropped
        }
        assert missing <= set(less.absent.get(family.name, ()))
        if all((table, None) in dropped for table in family.needs):
            for feature in family.features:
                known = np.array([_is_known(each) for each in less.table[feature.name].to_pylist()])
                assert not known.any() or not family.traced(feature), feature.name


def test_a_column_that_nobody_delivers_is_named(whole: Rows) -> None:
    """What the small company's data lack is told by family, and a stamp of knowledge is never missed."""
    assert "activities.occurred_at" not in whole.absent.get("relationship", ())
    assert not any(name.endswith(".known_from") for names in whole.absent.values() for name in names)


def _is_known(value: Any) -> bool:
    return value is not None and not (isinstance(value, float) and np.isnan(value))
