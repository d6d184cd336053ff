"""Which products an account holds on a day, so that it is never offered what it has."""

from __future__ import annotations

import ibis
import pyarrow as pa

from model.features.feature import Inputs


def owned_products(inputs: Inputs, n: int) -> pa.Array:
    """list<text> of n rows: sorted ids of product entitlements that hold on the as-of day."""
    owned = inputs.sources["entitlements"]
    owned = owned.filter(ibis.coalesce(owned.kind, "") == "product").select(
        "account_id", "item", "valid_to", "at", "known"
    )
    seen = inputs.known(owned)
    seen = seen.filter(seen.valid_to.isnull() | (seen.valid_to >= seen.day))
    # Ibis 12.0 counts a filter's columns among the distinct ones where Spark is to sort them as well
    held = seen.select("row", "item").distinct().to_pyarrow()
    held = held.sort_by([("row", "ascending"), ("item", "ascending")])
    lists: list[list[str]] = [[] for _ in range(n)]
    for row, item in zip(held["row"].to_pylist(), held["item"].to_pylist(), strict=True):
        lists[row].append(item)
    return pa.array(lists, pa.list_(pa.string()))
