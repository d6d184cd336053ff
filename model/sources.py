"""The tables that the model reads, and one clean form of each: day numbers, plain types, when known.

A source row is known on day `known`: the later of its own event day (`at`) and the day it reached us.
Every feature joins on `known <= as-of day`, so nothing can see the future. Two kinds of row:

* facts (events, invoices, activities …) happen once and become known by their `known_from` stamp;
* records that live (contacts, opportunities, tickets) come as their latest version: `known_from` is when
  the record first existed, and each later fact counts from its own stamp (closed, left).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import ibis
import ibis.expr.types as ir

from model.days import as_day
from model.invoices import ordered_invoices
from model.workspace import Workspace

_TYPES: Final = MappingProxyType(
    {"text": "string", "real": "float64", "whole": "int64", "flag": "boolean", "day": "int64"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One table: its columns and their kinds, the column of its event day and the ones that make it known."""

    columns: Mapping[str, str]
    at: str | None
    known: tuple[str, ...]


def _source(at: str | None, known: str, /, **columns: str) -> Source:
    return Source(columns=MappingProxyType(columns), at=at, known=tuple(known.split()))


SOURCES: Final[Mapping[str, Source]] = MappingProxyType(
    {
        "accounts": _source(
            None,
            "",
            parent_id="text",
            industry="text",
            segment="text",
            country="text",
            employees="whole",
            is_customer="flag",
            customer_since="day",
            contract_start="day",
            renewal_date="day",
            contract_term_months="real",
            fiscal_year_start="whole",
        ),
        "contacts": _source(
            "created_at",
            "known_from",
            crm_id="text",
            created_at="day",
            title="text",
            role="text",
            left_at="day",
            known_from="day",
        ),
        "opportunities": _source(
            "created_at",
            "known_from",
            crm_id="text",
            created_at="day",
            opportunity_type="text",
            pipeline="text",
            stage="text",
            amount="real",
            is_closed="flag",
            is_won="flag",
            closed_at="day",
            close_date="day",
            product_id="text",
            known_from="day",
        ),
        "account_history": _source(
            "changed_at", "changed_at", field="text", old_value="text", new_value="text", changed_at="day"
        ),
        "activities": _source(
            "occurred_at",
            "created_at known_from",
            contact_crm_id="text",
            kind="text",
            subject="text",
            body="text",
            occurred_at="day",
            created_at="day",
            known_from="day",
        ),
        "tickets": _source(
            "created_at",
            "known_from",
            created_at="day",
            subject="text",
            body="text",
            priority="text",
            is_escalated="flag",
            closed_at="day",
            csat="real",
            known_from="day",
        ),
        "events": _source(
            "at",
            "known_from",
            user_id="text",
            event="text",
            feature="text",
            session_id="text",
            at="day",
            known_from="day",
        ),
        "users": _source(
            None,
            "",
            user_id="text",
            email="text",
            title="text",
            department="text",
            role="text",
            created_at="day",
        ),
        "usage": _source(
            "period_end",
            "known_from",
            metric="text",
            period_start="day",
            period_days="whole",
            period_end="day",
            value="real",
            known_from="day",
        ),
        "billing": _source(
            "period_start",
            "known_from",
            period_start="day",
            period_end="day",
            plan_tier="text",
            seats="real",
            arr="real",
            list_arr="real",
            original_currency="text",
            overage="real",
            known_from="day",
        ),
        "entitlements": _source(
            "valid_from",
            "known_from",
            item="text",
            kind="text",
            quantity="real",
            valid_from="day",
            valid_to="day",
            known_from="day",
        ),
        "surveys": _source("responded_at", "", kind="text", score="real", responded_at="day"),
        "triggers": _source("occurred_on", "known_from", kind="text", occurred_on="day", known_from="day"),
        "notes": _source("written_at", "", kind="text", outcome="text", text="text", written_at="day"),
    }
)


def read_sources(
    tables: Mapping[str, ir.Table], space: Workspace, *, only: Collection[str] = SOURCES
) -> Mapping[str, ir.Table]:
    """Every table of SOURCES, or `only` some, in its clean form; a missing one is empty, a column null.

    Each has `account_id`, the columns named in SOURCES with dates as day numbers, and `at` and `known`
    (day numbers) where the source has an event day; billing is in the form of `ordered_invoices`.
    """
    anchor = next(iter(tables.values()))
    clean = {}
    for name, source in ((name, SOURCES[name]) for name in only):
        given = tables.get(name)
        shaped = _shape(anchor.limit(0) if given is None else given, source, missing=given is None)
        if name == "billing":
            shaped = ordered_invoices(space.keep(shaped))
        # events are read once, or not at all, by the partials; the others are small and read often
        clean[name] = shaped if name == "events" else space.keep(shaped)
    return MappingProxyType(clean)


def _shape(table: ir.Table, source: Source, *, missing: bool) -> ir.Table:
    columns: dict[str, ir.Column] = {
        name: ibis.null(_TYPES[kind]) if missing or name not in table.columns else _convert(table[name], kind)
        for name, kind in {"account_id": "text", **source.columns}.items()
    }
    if "period_end" in columns and source.at == "period_end":
        # a period's figure exists when the period is over
        ended = columns["period_start"] + ibis.coalesce(columns["period_days"], 1) - 1
        columns["period_end"] = ibis.coalesce(columns["period_end"], ended)
    if source.at is not None:
        at = columns[source.at]
        stamps = [ibis.coalesce(columns[stamp], at) for stamp in source.known]
        columns["at"] = at
        columns["known"] = ibis.greatest(at, *stamps) if stamps else at
    shaped = table.select(**columns)
    kept = shaped.account_id.notnull()
    return shaped.filter(kept & shaped.at.notnull() if source.at is not None else kept)


def _convert(column: ir.Column, kind: str) -> ir.Column:
    if kind != "day":
        return column.cast(_TYPES[kind])
    if column.type().is_integer():
        return column.cast("int64")
    return as_day(column)
