"""Facts about why a score moved: the pieces sum to the change, and the sentence says the largest."""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.features.families import FAMILIES
from model.movement import BASE, CAUSES, MODEL, SMALLER, Moved, Said, moved_column, movements, part_column
from model.panel import Rows
from model.reasons import family_totals
from model.trained import TrainedModel

NAMES = [*(family.name for family in FAMILIES), BASE]
SINCE, AS_OF = date(2026, 11, 2), date(2026, 11, 20)
PARTS = st.fixed_dictionaries({name: st.floats(-3, 3) for name in NAMES})
CHANCE = st.floats(0.001, 0.999)


def moved(
    before: Said | None, parts: dict[str, float], now: float, codes: tuple[str, ...] = ()
) -> Moved | None:
    """The movement of one account."""
    (found,) = movements(
        [before], since=SINCE, as_of=AS_OF, probability=np.array([now]), parts=[parts], codes=[codes]
    )
    return found


def chance(parts: dict[str, float]) -> float:
    """The probability of these parts."""
    return float(1 / (1 + np.exp(-sum(parts.values()))))


@given(PARTS, PARTS, CHANCE, CHANCE)
def test_the_steps_sum_to_the_change_to_the_last_hundredth(
    before: dict[str, float], after: dict[str, float], then: float, now: float
) -> None:
    """For any parts and probabilities, whatever the model does to the log-odds besides."""
    found = moved(Said(probability=then, parts=before, codes=()), after, now)
    assert found is not None
    assert round(100 * found.points) == round(10_000 * (now - then))
    assert sum(round(100 * points) for _, points in found.steps) == round(100 * found.points)
    assert {cause for cause, _ in found.steps} <= {*CAUSES, SMALLER}


@given(PARTS, st.sampled_from(NAMES), st.floats(-2, 2).filter(lambda move: abs(move) > 0.1))
def test_a_single_family_that_moved_is_the_only_cause(
    parts: dict[str, float], name: str, move: float
) -> None:
    """The base is the model's; nothing is put down to a family that stayed."""
    after = {**parts, name: parts[name] + move}
    found = moved(Said(probability=chance(parts), parts=parts, codes=()), after, chance(after))
    assert found is not None
    causes = {cause for cause, points in found.steps if abs(points) >= 0.1}
    assert causes <= {MODEL if name == BASE else name}


def test_what_no_signal_tells_is_the_models() -> None:
    """A probability that is said otherwise for the same parts: the model was calibrated anew."""
    parts = dict.fromkeys(NAMES, 0.1)
    found = moved(Said(probability=0.5, parts=parts, codes=()), parts, 0.6)
    assert found is not None
    assert found.steps == ((MODEL, 10.0),)


def test_the_sentence_says_by_how_much_since_when_and_why() -> None:
    """A reason that is new names its family's step; a family without one is named by its title."""
    before = dict.fromkeys(NAMES, 0.0)
    after = before | {"seats": 0.3, "people": 0.17, "support": -0.01}
    said = Said(probability=0.5, parts=before, codes=("SEAT_PRESSURE",))
    found = moved(said, after, chance(after), ("SEAT_PRESSURE", "NEW_SENIOR_CONTACT", "CSAT_HIGH"))
    assert found is not None
    assert found.sentence == "Up 11 points since 2 Nov: seat utilisation (+7), new senior contact (+4)"
    down = moved(Said(probability=chance(after), parts=after, codes=()), before, 0.5, ("CHAMPION_LEFT",))
    assert down is not None
    assert down.sentence == "Down 11 points since 2 Nov: seat utilisation (−7), champion or sponsor gone (−4)"


def test_a_score_that_stayed_is_said_to_be_unchanged() -> None:
    """Without a cause where there is none; with them where two cancel."""
    parts = dict.fromkeys(NAMES, 0.0)
    same = moved(Said(probability=0.5, parts=parts, codes=()), parts, 0.5)
    assert same == Moved(since=SINCE, points=0.0, sentence="Unchanged since 2 Nov", steps=())
    other = parts | {"seats": 0.2, "usage": -0.2}
    cancelled = moved(Said(probability=0.5, parts=parts, codes=()), other, 0.5)
    assert cancelled is not None
    assert cancelled.sentence == "Unchanged since 2 Nov: seat utilisation (+5), usage (−5)"


def test_nothing_is_said_of_an_account_that_is_new() -> None:
    """None, and null in the column."""
    parts = dict.fromkeys(NAMES, 0.0)
    assert moved(None, parts, 0.5) is None
    assert moved_column([None]).to_pylist() == [None]


def test_the_parts_of_a_score_sum_to_its_log_odds(trained: TrainedModel, rows: Rows) -> None:
    """For every account, to the digits that are kept."""
    margins = trained.margins(rows.table)
    totals = family_totals(trained.contributions(rows.table), trained.features)
    column: pa.Array = part_column(margins, totals)
    for parts, margin in zip(column.to_pylist(), margins, strict=True):
        assert [name for name, _ in parts] == NAMES
        assert sum(value for _, value in parts) == pytest.approx(margin, abs=1e-4)
