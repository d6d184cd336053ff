"""A page between records and canonical table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pytest

from connectors.canonical import DAY, REAL, TEXT
from connectors.page import misfit, whole


def test_a_page_has_every_column_of_its_schema() -> None:
    """Columns come in the schema's order, those that nobody read are null."""
    schema = pa.schema([("a", TEXT), ("b", REAL)])
    table = whole({"b": pa.array([1.0, None], REAL)}, schema, 2)
    assert table.schema == schema
    assert table.to_pylist() == [{"a": None, "b": 1.0}, {"a": None, "b": None}]


@pytest.mark.parametrize(("kind", "word"), [(REAL, "number"), (DAY, "date")])
def test_the_misfit_is_the_first_cell_that_can_not_be_read(kind: pa.DataType, word: str) -> None:
    """It is named with its record, cut to a few words."""

    def read(cells: Sequence[Any]) -> pa.Array:
        return pa.array(cells, TEXT).cast(kind)

    values = [None, "x" * 50, "y"]
    assert misfit(values, ["1", "2", "3"], kind, read) == ("2", f"holds '{'x' * 40}', which is no {word}.")
