"""Corporate groups: every account under the top-most parent above it."""

from __future__ import annotations

from collections.abc import Mapping

import ibis
import ibis.expr.types as ir
import pyarrow as pa


def group_table(accounts: ir.Table) -> ir.Table:
    """account_id and group_id of every account; one without parent or children is a group of its own."""
    found = accounts.select("account_id", "parent_id").to_pyarrow()
    parents = dict(zip(found["account_id"].to_pylist(), found["parent_id"].to_pylist(), strict=True))
    tops = top_parents(parents)
    columns = {
        "account_id": pa.array(tops.keys(), pa.string()),
        "group_id": pa.array(tops.values(), pa.string()),
    }
    return ibis.memtable(pa.table(columns))


def top_parents(parents: Mapping[str, str | None]) -> Mapping[str, str]:
    """Account -> the last one on its way up from parent to parent; a parent that is no account ends the way.

    A ring, which a CRM lets people make, is one group under its smallest id."""
    tops: dict[str, str] = {}
    for account in parents:
        way = [account]
        while way[-1] not in tops and (above := parents.get(way[-1])) is not None and above not in way:
            way.append(above)
        last = way[-1]
        closing = parents.get(last)
        if last in tops:
            top = tops[last]
        elif closing in way:  # a ring, entered at `closing`
            top = min(way[way.index(closing) :])
        else:
            top = last
        tops.update(dict.fromkeys((each for each in way if each in parents), top))
    return tops
