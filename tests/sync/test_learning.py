"""What the past teaches is counted right: signals against chance, and people's words in time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from sync.heard import Heard, heard_of, keep_heard
from sync.learning import calls, signals
from sync.matured import Matured
from sync.outcomes import Expansion
from sync.store import Store

DAY = date(2026, 3, 30)
NOON = datetime(2026, 4, 1, 12, tzinfo=UTC)


def row(account: str, expanded: bool, **more: Any) -> Matured:
    """One account's score as of a day in March and whether it expanded."""
    event = Expansion(account_id=account, day=DAY + timedelta(days=9), arr=100.0, source="billing")
    given: dict[str, Any] = {
        "run_id": "r", "model_version": "2026.03.01-1", "as_of": DAY, "account_id": account,
        "probability": 0.2, "tier": "medium",
        "arr_if_expands": 100.0, "arr_low": 50.0, "arr_high": 200.0, "expected_arr": 20.0,
        "product": None, "reasons": (), "against": (),
    }  # fmt: skip
    return Matured(**given | more, expansions=(event,) if expanded else ())


def base(expanding: int = 80, of: int = 400) -> list[Matured]:
    """Accounts without any reason."""
    return [row(f"B{number}", number < expanding) for number in range(of)]


@pytest.mark.parametrize(
    ("side", "expanding", "verdict"),
    [("reasons", 25, "held"), ("reasons", 1, "misled"), ("reasons", 11, "open"), ("against", 1, "held")],
)
def test_a_reason_held_when_expansions_moved_as_it_said_beyond_chance(
    side: str, expanding: int, verdict: str
) -> None:
    """50 accounts that had it, against the rate of all on the same day."""
    told = [row(f"S{number}", number < expanding, **{side: ("CODE",)}) for number in range(50)]
    (found,) = signals([*base(), *told])
    assert (found.code, found.side, found.verdict) == (
        "CODE",
        side.removesuffix("s") if side == "against" else "for",
        verdict,
    )
    assert (found.accounts, found.expanded) == (50, expanding)
    assert found.expected == pytest.approx(50 * (80 + expanding) / 450, abs=0.01)


def test_a_reason_given_to_few_is_not_judged() -> None:
    """Nineteen accounts say nothing."""
    assert signals([*base(), *[row(f"S{n}", True, reasons=("CODE",)) for n in range(19)]]) == []


def test_most_reasons_that_say_nothing_are_open() -> None:
    """Of a hundred reasons dealt out by chance about one in twenty seems to hold or mislead."""
    rng = np.random.default_rng(0)
    rows = [
        row(
            f"A{n}",
            bool(rng.random() < 0.2),
            reasons=tuple(f"C{c}" for c in np.flatnonzero(rng.random(100) < 0.2)),
        )
        for n in range(600)
    ]
    verdicts = [found.verdict for found in signals(rows)]
    assert len(verdicts) == 100
    assert 0 < sum(verdict != "open" for verdict in verdicts) < 15


def said(account: str, *words: tuple[int, dict[str, Any]]) -> dict[str, Sequence[Heard]]:
    """What was heard of an account so many days after its score."""
    return {
        account: [
            Heard(account_id=account, record_id="r", seen_at=NOON + timedelta(days=days), said=told)
            for days, told in words
        ]
    }


def test_a_call_counts_as_it_stood_four_weeks_after_the_score() -> None:
    """What was said later may know the outcome; what was changed in time counts as changed."""
    rows = [row("A", True, probability=0.5)]
    late = said("A", (60, {"csm_call": "higher"}))
    assert calls(rows, late) == []
    changed = said(
        "A", (1, {"csm_call": "lower", "feedback": "useful"}), (20, {"csm_call": "agree"}), (50, {})
    )
    (found,) = calls(rows, changed)
    assert (found.field, found.value, found.accounts, found.said, found.expanded) == (
        "csm_call",
        "agree",
        1,
        0.5,
        1,
    )


def test_only_a_change_of_what_people_say_is_kept(ledger: Store) -> None:
    """Nothing said leaves nothing; the same said twice stands once; taken back stands as nothing said."""

    def plan(day: int, **fields: Any) -> int:
        now = NOON + timedelta(days=day)
        return keep_heard(
            ledger, "org", [("A", "001", fields), ("B", "002", {})], run_id=f"run-{day}", now=now
        )

    assert plan(0, csm_call=None, opt_out=False) == 0
    assert plan(1, csm_call="agree", not_before=date(2026, 5, 1)) == 1
    assert plan(2, not_before=date(2026, 5, 1), csm_call="agree", opt_out=False) == 0
    assert plan(3, csm_call=None) == 1
    assert [each.said for each in heard_of(ledger)["A"]] == [
        {"csm_call": "agree", "not_before": "2026-05-01"},
        {},
    ]
    assert "B" not in heard_of(ledger)
