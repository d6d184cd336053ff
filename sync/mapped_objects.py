"""What objects of the CRM tell of usage, billing, surveys …, beside what exports tell of the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import ibis
import ibis.expr.types as ir

from connectors.canonical import EXPORT_KINDS, MAPPED_KINDS
from model.partials import partials_of
from sync.lake import Lake
from sync.reduction import EVENTS
from sync.usage_days import usage_by_key

OF_RECORD: Final = "account_crm_id"
"""The column of an export's table that leads to the account's record, where records are among its rows."""


def with_objects(lake: Lake) -> dict[str, ir.Table]:
    """The lake's tables and its events by day, the live records of mapped objects among the rows of the
    exports that tell the same.

    A table of exports has the column OF_RECORD then. Raises InputError for a damaged segment."""
    tables: Mapping[str, ir.Table] = lake.tables()
    usage = usage_by_key(lake)
    made = {**tables, **usage}
    held = {segment.table_name for segment in lake.segments()}
    for kind, delivered in MAPPED_KINDS.items():
        if delivered not in held:
            continue
        records = tables[delivered].filter(~ibis.coalesce(ibis._.is_deleted, False))
        exported = tables[EXPORT_KINDS[kind]]
        columns = [*exported.columns, OF_RECORD]
        exported = exported.mutate(**{OF_RECORD: ibis.null("string")})
        made[EXPORT_KINDS[kind]] = exported.select(*columns).union(records.select(*columns))
        if EXPORT_KINDS[kind] == EVENTS:
            for partial, told in partials_of(records, ("account_key", OF_RECORD)).items():
                rest = usage[partial].mutate(**{OF_RECORD: ibis.null("string")})
                made[partial] = told.union(rest.select(*told.columns))
    return made
