"""Facts about knowledge: what a row may see."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from model.features.families import CATALOGUE, FAMILIES
from model.panel import build_panel, build_rows
from model.product import Product
from model.sources import SOURCES
from model.target import Target


def _later_rows(
    day: date, at: Callable[..., datetime], account: str, size: float
) -> dict[str, dict[str, Any]]:
    """One record of each table that became known on `day`."""
    now = at(day)
    return {
        "events": {
            "user_id": f"{account}-u15",
            "event": "billing_page",
            "feature": "f99",
            "session_id": "s",
            "at": at(day - timedelta(days=40)),
            "known_from": now,
        },
        "billing": {
            "period_start": day - timedelta(days=45),
            "period_end": day,
            "plan_tier": "Gold",
            "seats": size,
            "arr": size * 900,
            "list_arr": size * 900,
            "overage": size,
            "known_from": now,
        },
        "usage": {
            "metric": "api_calls",
            "period_start": day - timedelta(days=60),
            "period_days": 28,
            "value": 99 * size,
            "known_from": now,
        },
        "entitlements": {
            "item": "AN",
            "kind": "product",
            "quantity": 1.0,
            "valid_from": day - timedelta(days=50),
            "valid_to": None,
            "known_from": now,
        },
        "opportunities": {
            "crm_id": "late",
            "created_at": now,
            "known_from": now,
            "opportunity_type": "Expansion",
            "stage": "Closed Won",
            "amount": size,
            "is_closed": True,
            "is_won": True,
            "closed_at": now,
            "product_id": "SEATS",
        },
        "tickets": {
            "created_at": now,
            "known_from": now,
            "subject": "Outage",
            "body": "error",
            "priority": "critical",
            "is_escalated": True,
            "closed_at": None,
            "csat": 1.0,
        },
        "contacts": {
            "crm_id": "new",
            "created_at": now,
            "known_from": now,
            "title": "CEO",
            "role": "executive_sponsor",
            "left_at": None,
        },
        "activities": {
            "contact_crm_id": None,
            "kind": "meeting",
            "subject": "Late",
            "occurred_at": at(day - timedelta(days=30)),
            "created_at": now,
            "known_from": now,
        },
        "surveys": {"kind": "nps", "score": 1.0, "responded_at": now},
        "triggers": {"kind": "funding", "occurred_on": day - timedelta(days=35), "known_from": now},
        "notes": {"kind": "qbr", "outcome": "negative", "text": "They cancel", "written_at": now},
    }


def _features(table: pa.Table, *, until: date | None = None) -> list[dict[str, Any]]:
    names = ["account_id", "as_of", "is_pipeline", "owned", "data_completeness", *CATALOGUE]
    if until is not None:
        table = table.filter(pc.less_equal(table["as_of"], pa.scalar(until)))
    return [
        {k: None if isinstance(v, float) and np.isnan(v) else v for k, v in row.items()}
        for row in table.select(names).to_pylist()
    ]


@pytest.fixture(scope="module")
def before(tiny: Any, catalogue: tuple[Product, ...]) -> tuple[date, list[dict[str, Any]]]:
    """A past as-of day and its rows."""
    day = date(2026, 2, 2)
    rows = build_rows(tiny.tables(), as_of=day, target=Target(), products=catalogue)
    return day, _features(rows.table)


@settings(
    max_examples=2,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(days=st.integers(0, 60), account=st.integers(0, 11), size=st.floats(1, 50))
def test_nothing_known_on_the_as_of_day_or_later_changes_a_row(
    days: int,
    account: int,
    size: float,
    before: tuple[date, list[dict[str, Any]]],
    tiny: Any,
    at: Callable[..., datetime],
    catalogue: tuple[Product, ...],
) -> None:
    """A record of any table, known that day or later (even if it happened before), changes no feature.

    The as-of day itself is whole in the past and hardly begun when scoring, so neither may see it.
    """
    as_of, expected = before
    changed = tiny
    name = f"A{account:03d}"
    for table, record in _later_rows(as_of + timedelta(days=days), at, name, size).items():
        changed = changed.plus(table, {"account_id": name, **record})
    rows = build_rows(changed.tables(), as_of=as_of, target=Target(), products=catalogue)
    assert _features(rows.table) == expected


def test_a_row_of_the_panel_equals_the_row_scored_on_that_day(
    tiny: Any, before: tuple[date, list[dict[str, Any]]], catalogue: tuple[Product, ...]
) -> None:
    """Training and scoring see the same figures: the panel's rows of a past day are that day's rows."""
    as_of, expected = before
    panel = build_panel(
        tiny.tables(), as_of=as_of + timedelta(days=56), target=Target(), products=catalogue, months=4
    )
    past = [row for row in _features(panel.table, until=as_of) if row["as_of"] == as_of]
    assert past == expected


@pytest.mark.parametrize(
    "missing",
    [
        ("events", "users", "surveys"),
        ("billing", "entitlements", "usage"),
        ("accounts", "opportunities", "contacts", "activities", "tickets", "triggers", "notes"),
    ],
    ids=lambda names: names[0],
)
def test_missing_tables_lower_completeness_and_never_fail(
    missing: tuple[str, ...],
    tiny: Any,
    before: tuple[date, list[dict[str, Any]]],
    catalogue: tuple[Product, ...],
) -> None:
    """Without some of its tables a company is still scored, and its data are known to be less complete."""
    as_of, whole = before
    rows = build_rows(tiny.without(*missing).tables(), as_of=as_of, target=Target(), products=catalogue)
    completeness = rows.table["data_completeness"].to_numpy().mean()
    assert rows.table.num_rows == 12
    assert completeness < np.mean([row["data_completeness"] for row in whole])


def test_families_read_only_declared_columns() -> None:
    """What a family says it needs exists in the sources, so a missing column is always filled with nulls."""
    for family in FAMILIES:
        for table, columns in family.needs.items():
            assert set(columns) - {"account_id"} <= set(SOURCES[table].columns), family.name


def test_every_feature_has_one_entry_in_the_catalogue() -> None:
    """Feature names are unique over all families, and each says what it is."""
    names = [feature.name for family in FAMILIES for feature in family.features]
    assert len(names) == len(set(names)) == len(CATALOGUE)
    assert all(feature.about and feature.source in SOURCES for feature in CATALOGUE.values())
