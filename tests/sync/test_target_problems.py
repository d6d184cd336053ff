"""What is wrong with a target is told with its figure, and only when it is so."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from model.target import Target
from sync.outcomes import Expansion
from sync.target_check import Kind, by_month
from sync.target_problems import Known, Problem, find_problems

TODAY = date(2026, 6, 15)
UPSELL = Kind(opportunity_type="Upsell", pipeline="Growth", opportunities=400, won=300, counted=True)
RENEWAL = Kind(opportunity_type="Renewal", pipeline="Growth", opportunities=90, won=80, counted=False)


def expansion(back: int, **more: object) -> Expansion:
    """One that was won so many days ago."""
    given = {
        "account_id": f"A{back}",
        "day": TODAY - timedelta(days=back),
        "arr": 100.0,
        "source": "opportunity",
    }
    return Expansion(**{"product_id": "SEATS"} | given | more)  # type: ignore[arg-type]


SOUND = Known(
    target=Target(),
    today=TODAY,
    expansions=[expansion(back) for back in range(600, 0, -2)],
    kinds=(UPSELL, RENEWAL),
    stages=frozenset({"Closed Won", "Proposal"}),
    products=frozenset({"SEATS"}),
    customers=400,
    eligible=400,
    unknown={},
    amountless=0,
)


def told(**changes: object) -> list[Problem]:
    """The problems of the sound target with something else about it."""
    return list(find_problems(replace(SOUND, **changes)))


def test_a_sound_target_has_no_problem() -> None:
    """300 expansions over 600 days, with products and amounts."""
    assert told() == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"target": Target(opportunity_types=("Upsel",))}, "'Upsel'. Did you mean Upsell?"),
        ({"target": Target(stages=("closed won",))}, "'closed won'. Did you mean Closed Won?"),
        ({"target": Target(pipelines=("Sales",))}, "no opportunity has 'Sales'"),
        ({"target": Target(stages=("Won",)), "kinds": (), "stages": frozenset()}, "holds no opportunities"),
        ({"eligible": 20}, "only 5% of 400"),
        ({"unoffered": ("SSO",)}, "No customer can be offered SSO today"),
        ({"unknown": {"nps": 0.8}}, "nps, on which eligibility hangs, is unknown for 80%"),
        ({"expansions": SOUND.expansions[-10:]}, "10 expansions are too few"),
        ({"expansions": SOUND.expansions[::4]}, "75 expansions are not many (fewer than 200)"),
        ({"expansions": SOUND.expansions[-100:]}, "less than a year"),
        ({"customers": 40_000}, "hardly any"),
        ({"customers": 60}, "most of them"),
        ({"expansions": [*SOUND.expansions[:220], *[expansion(50)] * 80]}, "80 of 300 expansions are dated"),
        ({"expansions": [expansion(b, source="billing") for b in range(600, 0, -2)]}, "300 of 300"),
        ({"expansions": [expansion(b, product_id=None) for b in range(600, 0, -2)]}, "name no product"),
        ({"products": frozenset({"TIER"})}, "no [[products]] names: SEATS"),
        ({"amountless": 7}, "7 won expansion opportunities have no amount"),
        ({"expansions": [expansion(b) for b in range(900, 300, -2)]}, "was on 2025-08-17, 10 months"),
    ],
)  # fmt: skip
def test_each_flaw_is_told(changes: dict[str, object], message: str) -> None:
    """With its figure and what to do; none of them stops."""
    found = told(**changes)
    assert any(message in problem.message for problem in found), found
    assert all(problem.fix and not problem.stops for problem in found)


def test_what_is_missing_where_it_never_happened_is_no_flaw() -> None:
    """Most accounts never expanded, and are let in by that."""
    assert told(unknown={"days_since_expansion": 0.9}) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"expansions": []}, "opportunities of type Renewal are won"),
        ({"expansions": [], "kinds": ()}, "no opportunity is won, and no ARR rises"),
        ({"eligible": 0}, "lets in none of 400"),
    ],
)
def test_nothing_to_learn_from_stops(changes: dict[str, object], message: str) -> None:
    """And says what to do."""
    stops = [problem for problem in told(**changes) if problem.stops]
    assert len(stops) == 1
    assert message in stops[0].message


def test_every_month_is_there_even_without_an_expansion() -> None:
    """From the first one to today, with what was bought."""
    events = [expansion(100), expansion(99, product_id=None), expansion(20, arr=None)]
    months = list(by_month(events, TODAY))
    assert [month.month for month in months] == ["2026-03", "2026-04", "2026-05", "2026-06"]
    assert [month.expansions for month in months] == [2, 0, 1, 0]
    assert months[0].products == {"SEATS": 1, "(no product)": 1}
    assert months[2].arr == 0
