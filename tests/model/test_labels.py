"""Facts about outcomes: what counts, when, and what it leaves alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from model.errors import ModelError
from model.expansions import expansion_events
from model.panel import Panel, build_panel
from model.product import Product
from model.sources import read_sources
from model.target import Target
from model.workspace import Workspace

HORIZON = 90


@pytest.fixture(scope="module")
def make_panel(as_of: date, catalogue: tuple[Product, ...]) -> Callable[..., Panel]:
    """Builds the panel of a company."""

    def build(company: Any, **target: Any) -> Panel:
        return build_panel(
            company.tables(),
            as_of=as_of,
            target=Target(horizon_days=HORIZON, **target),
            products=catalogue,
            months=10,
        )

    return build


@pytest.fixture(scope="module")
def plain(tiny: Any, make_panel: Callable[..., Panel]) -> Panel:
    """The tiny company's panel before anything is closed."""
    return make_panel(tiny)


@pytest.fixture(scope="module")
def untouched(plain: Panel) -> dict[tuple[str, date], float]:
    """Labels of the tiny company before anything is closed."""
    return _labels(plain)


def _expansions(company: Any, **target: Any) -> int:
    """How many expansion events the target counts in the company's data."""
    tables = company.tables()
    with Workspace(tables["accounts"].get_backend()) as space:
        events = expansion_events(read_sources(tables, space), Target(**target))
        return int(events.count().to_pyarrow().as_py())


def _labels(panel: Panel) -> dict[tuple[str, date], float]:
    table = panel.table
    keys = zip(table["account_id"].to_pylist(), table["as_of"].to_pylist(), strict=True)
    return dict(zip(keys, np.nan_to_num(table["label"].to_numpy(), nan=-1.0), strict=True))


def _deal(at: Callable[..., datetime], account: str, closed: date, **more: Any) -> dict[str, Any]:
    return {
        "account_id": account,
        "crm_id": "closing",
        "created_at": at(closed - timedelta(days=1)),
        "known_from": at(closed - timedelta(days=1)),
        "opportunity_type": "Expansion",
        "stage": "Closed Won",
        "amount": 5000.0,
        "is_closed": True,
        "is_won": True,
        "closed_at": at(closed),
        "product_id": "UP",
    } | more


@settings(
    max_examples=2,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(account=st.integers(0, 11), back=st.integers(1, 280))
def test_closing_an_opportunity_changes_the_labels_of_exactly_the_rows_that_see_it(
    account: int,
    back: int,
    tiny: Any,
    as_of: date,
    untouched: dict[tuple[str, date], float],
    make_panel: Callable[..., Panel],
    at: Callable[..., datetime],
) -> None:
    """Matured rows of that account within one horizon before the closing become 1; all others stay."""
    name, closed = f"A{account:03d}", as_of - timedelta(days=back)
    labels = _labels(make_panel(tiny.plus("opportunities", _deal(at, name, closed))))
    for (who, day), label in labels.items():
        sees = who == name and day < closed <= day + timedelta(days=HORIZON)
        matured = day + timedelta(days=HORIZON) <= as_of
        expected = 1.0 if sees and matured else untouched[who, day]
        assert label == expected, (who, day)


def test_closing_an_opportunity_changes_the_data_hash(
    tiny: Any, as_of: date, plain: Panel, make_panel: Callable[..., Panel], at: Callable[..., datetime]
) -> None:
    """The hash is the same for the same data, and another one after an outcome."""
    closed = _deal(at, "A001", as_of - timedelta(days=100))
    assert make_panel(tiny).data_hash == plain.data_hash
    assert make_panel(tiny.plus("opportunities", closed)).data_hash != plain.data_hash


def test_a_row_whose_horizon_has_not_ended_has_no_label(
    untouched: dict[tuple[str, date], float], as_of: date
) -> None:
    """Unknown is not "no": the last horizon of rows is unlabelled, everything before is labelled."""
    for (_, day), label in untouched.items():
        assert (label == -1.0) == (day + timedelta(days=HORIZON) > as_of)


def test_an_open_opportunity_makes_its_rows_pipeline(
    tiny: Any, as_of: date, make_panel: Callable[..., Panel], at: Callable[..., datetime]
) -> None:
    """Rows between creation and closing are pipeline, no matter how it ends."""
    created = as_of - timedelta(days=120)
    deal = _deal(at, "A002", as_of, created_at=at(created), is_closed=False, is_won=False, closed_at=None)
    table = make_panel(tiny.plus("opportunities", deal)).table
    for row in table.select(["account_id", "as_of", "is_pipeline"]).to_pylist():
        if row["account_id"] == "A002" and row["as_of"] >= created:
            assert row["is_pipeline"]


def test_arr_growth_without_an_opportunity_counts_unless_the_target_says_no(tiny: Any) -> None:
    """An unexplained ARR increase is an event; with count_arr_changes off only opportunities are."""
    quiet = tiny.without("opportunities")
    assert _expansions(quiet) > 0
    assert _expansions(quiet, count_arr_changes=False) == 0


def test_an_increase_that_a_won_deal_explains_is_one_event(tiny: Any) -> None:
    """Deals of the tiny company raise the next invoice: counting ARR changes adds no event."""
    assert _expansions(tiny) == _expansions(tiny, count_arr_changes=False) > 0


@pytest.mark.parametrize("wrong", [{"horizon_days": 3}, {"eligible": "segment is big"}, {"min_amount": -1}])
def test_a_target_that_cannot_be_met_says_what_to_change(wrong: dict[str, Any]) -> None:
    """A wrong horizon, an expression that can't be read and a negative amount are refused with the fix."""
    with pytest.raises(ModelError, match="Fix:"):
        Target(**wrong)


def test_only_opportunities_of_the_pipelines_named_count(
    tiny: Any, as_of: date, at: Callable[..., datetime]
) -> None:
    """In any case; one without a pipeline does not."""
    bare = tiny.without("opportunities").without("billing")
    for number, pipeline in enumerate(("Growth", "New logos", None)):
        deal = _deal(at, "A001", as_of - timedelta(days=10 + number), crm_id=f"deal-{number}")
        bare = bare.plus("opportunities", deal | {"pipeline": pipeline})
    assert _expansions(bare) == 3
    assert _expansions(bare, pipelines=("growth",)) == 1


def test_an_increase_of_seats_counts_only_when_the_target_says_so(
    tiny: Any, as_of: date, at: Callable[..., datetime]
) -> None:
    """And only where neither a won deal nor an ARR increase is near, which explain it."""
    invoice = {
        "account_id": "A100", "period_start": as_of - timedelta(days=200), "seats": 10.0, "arr": 5000.0,
        "known_from": at(as_of - timedelta(days=200)),
    }  # fmt: skip
    later = invoice | {
        "period_start": as_of - timedelta(days=30),
        "known_from": at(as_of - timedelta(days=30)),
    }
    base = tiny.without("opportunities", "billing").plus("billing", invoice)
    more_seats = base.plus("billing", later | {"seats": 12.0})
    assert _expansions(more_seats) == 0
    assert _expansions(more_seats, count_seat_changes=True) == 1
    both = base.plus("billing", later | {"seats": 12.0, "arr": 6000.0})
    assert _expansions(both, count_seat_changes=True) == 1
    assert _expansions(both, count_arr_changes=False, count_seat_changes=True) == 0
    deal = _deal(at, "A100", as_of - timedelta(days=50))
    assert _expansions(more_seats.plus("opportunities", deal), count_seat_changes=True) == 1
