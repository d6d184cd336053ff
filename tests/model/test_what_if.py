"""Facts about a what-if: what is assumed, what moves along, and what can't be."""

from __future__ import annotations

import math
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.assumptions import STATES, WORDS, read_assumptions
from model.errors import ModelError
from model.features.families import CATALOGUE
from model.panel import Rows
from model.what_if import RULES, assume

ROW: dict[str, Any] = {
    "users_30": 40.0, "users_7": 20.0, "seats": 50.0, "seat_headroom": 10.0, "seat_utilisation": 0.8,
    "seat_utilisation_max": 0.9, "seat_utilisation_change_90": 0.1, "seat_days_to_limit": 80.0,
    "users_growth_90": 0.5, "events_30": 400.0, "events_90": 1000.0, "events_per_user": 10.0,
    "stickiness": 0.5, "arr": 10_000.0, "arr_per_seat": 200.0, "plan_tier": "Team", "nps": None,
    "champions": 1.0, "champion_days_30": 9.0, "champion_days_change": 1.0, "champion_left_180": 0.0,
    "contacts_known": 4.0, "escalations_open": 0.0, "usage_trend": 0.2,
}  # fmt: skip


def after(text: str, **cells: Any) -> dict[str, Any]:
    """The row under these assumptions."""
    row = ROW | cells
    kinds = {name: pa.string() if name == "plan_tier" else pa.float64() for name in row}
    table = pa.table({name: pa.array([value], kinds[name]) for name, value in row.items()})
    found: dict[str, Any] = assume(table, read_assumptions(text))[0].to_pylist()[0]
    return found


def test_more_seats_used_move_the_licence_along() -> None:
    """Ten more of fifty: utilisation, headroom, its trend and the growth of users; usage stays."""
    row = after("seats_used=+10")
    assert (row["users_30"], row["seat_utilisation"], row["seat_headroom"]) == (50.0, 1.0, 0.0)
    assert row["seat_utilisation_max"] == 1.0
    assert row["seat_utilisation_change_90"] == pytest.approx(0.3)
    assert row["seat_days_to_limit"] == 0.0
    assert row["stickiness"] == pytest.approx(0.4)
    # 40 users were 0.5 more than the 26 of before, with 2 added to them: (40 − 26) / 28
    assert row["users_growth_90"] == pytest.approx((50 - 26) / 28)
    assert row["events_30"] == 400.0


def test_the_utilisation_may_be_assumed_itself() -> None:
    """Then it is the users that move along, and it is not worked out anew."""
    row = after("seat_utilisation=96%")
    assert (row["seat_utilisation"], row["users_30"]) == (0.96, pytest.approx(48.0))
    both = after("seat_utilisation=96%,users_30=10")
    assert (both["seat_utilisation"], both["users_30"], both["seat_headroom"]) == (0.96, 10.0, 40.0)
    more = after("seats=+30")
    assert (more["seat_utilisation"], more["seat_headroom"]) == (0.5, 40.0)
    assert more["arr_per_seat"] == pytest.approx(125.0)


def test_usage_moves_in_step() -> None:
    """A fifth less in the last month is a fifth less in each window, and a lower trend."""
    row = after("usage=-20%")
    assert (row["events_30"], row["events_90"], row["events_per_user"]) == (320.0, 800.0, 8.0)
    before = (1000 - 2 * 0.2) / 1.2
    assert row["usage_trend"] == pytest.approx((800 - before) / (before + 2))


def test_states_are_said_in_plain_words() -> None:
    """A champion who has gone was there before; an escalation is open; a tier is a name."""
    row = after("champion=gone, escalation=open, tier=Enterprise")
    assert (row["champions"], row["champion_left_180"], row["contacts_known"]) == (0.0, 1.0, 3.0)
    assert (row["champion_days_30"], row["champion_days_change"]) == (0.0, -9.0)
    assert (row["escalations_open"], row["plan_tier"]) == (1.0, "Enterprise")


def test_every_change_is_told_with_what_moved_along() -> None:
    """What was assumed first, each with its value before."""
    table = pa.table({name: [ROW[name]] for name in ("users_30", "seat_headroom", "seat_utilisation")})
    _, changes = assume(table, read_assumptions("seats_used=45"))
    assert [(c.feature, c.before, c.after, c.assumed) for c in changes] == [
        ("users_30", 40.0, 45.0, True),
        ("seat_headroom", 10.0, 5.0, False),
        ("seat_utilisation", 0.8, 0.9, False),
    ]


@pytest.mark.parametrize(
    ("text", "message", "fix"),
    [
        ("seats_usd=+10", "no feature 'seats_usd'", "seats_used"),
        ("champion=happy", "champion can't be 'happy'", "gone"),
        ("nps=+1", "Nothing is known of nps", "nps=12"),
        ("users_30=-41", "would be -1", "It is 40 now"),
        ("nps=high", "no number for nps", "nps=12"),
        ("nps", "assumes nothing", "seats_used=+10"),
        ("", "Nothing is assumed", "seats_used=+10"),
        ("nps=9,nps=8", "assumed twice", "once"),
        ("seats_used=1,users_30=2", "assumed twice", "once"),
    ],
)
def test_what_cannot_be_assumed_is_refused_with_what_to_write(text: str, message: str, fix: str) -> None:
    """An unknown name with near ones, a state, a change of nothing, a count below nought."""
    with pytest.raises(ModelError) as refused:
        after(text)
    assert message in refused.value.message
    assert fix in refused.value.fix


@given(st.data())
def test_to_assume_what_is_so_changes_nothing(data: st.DataObject) -> None:
    """For any feature of the row: no rule makes anything up."""
    name = data.draw(st.sampled_from(sorted(name for name in ROW if isinstance(ROW[name], float))))
    assert after(f"{name}=+0") == ROW


def test_words_rules_and_states_speak_of_features_that_exist() -> None:
    """A renamed feature would else be assumed without effect."""
    assert set(WORDS.values()) <= set(CATALOGUE)
    assert not (set(WORDS) | set(STATES)) & set(CATALOGUE)
    for rule in RULES:
        assert {rule.feature, *rule.needs} <= set(CATALOGUE)
    zeros = dict.fromkeys(CATALOGUE, 0.0)
    for states in STATES.values():
        for told in states.values():
            assert set(told(zeros)) <= set(CATALOGUE)


def test_the_licence_holds_for_every_account(rows: Rows) -> None:
    """After one user more, users over seats are the utilisation, as the features of seats count them."""
    for place in range(0, rows.table.num_rows, 16):
        row = rows.table.slice(place, 1)
        now = row.to_pylist()[0]
        if now["seat_headroom"] is None or math.isnan(now["seat_headroom"]):
            continue
        then = assume(row, read_assumptions("seats_used=+1"))[0].to_pylist()[0]
        seats = now["users_30"] + now["seat_headroom"]
        assert then["seat_utilisation"] == pytest.approx((now["users_30"] + 1) / seats)
        assert now["seat_utilisation"] == pytest.approx(now["users_30"] / seats, rel=1e-5)
