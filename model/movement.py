"""Why scores moved: the parts of two scorings compared, piece by piece, so that the pieces sum to the change.

A score's parts are what each signal family, and the base, adds to its log-odds. They are kept beside the
score, so that the next scoring compares them without building the features of a former day again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import pyarrow as pa

from model.features.families import FAMILIES
from model.reason_codes import CODE_OF
from model.shapes import MOVED
from model.wordsmith import write_day

BASE: Final = "base"
MODEL: Final = "model"
SMALLER: Final = "smaller"  # all steps too small to be named, in one
CAUSES: Final = (*(family.name for family in FAMILIES), MODEL)
"""What can move a score: a family, or the model (its base, or probabilities that it says otherwise)."""
_WORDS: Final[Mapping[str, str]] = {
    **{family.name: family.title[0].lower() + family.title[1:] for family in FAMILIES},
    MODEL: "the model",
}
_DIGITS: Final = 8  # of the log-odds that are kept: two more than of a probability
_ALMOST_EQUAL: Final = 1e-6  # log-odds so close that the slope between them is the curve's own
_NAMED: Final = 10  # hundredths of a point from which a step has a name of its own
_SAID_STEPS: Final = 3
_HUNDREDTHS: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One account's score of an earlier scoring: its probability, parts and reason codes."""

    probability: float
    parts: Mapping[str, float]
    codes: Collection[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """Why one score moved since the day `since`: `points` of 100, and steps by cause that sum to them."""

    since: date
    points: float
    sentence: str
    steps: tuple[tuple[str, float], ...]


def part_column(margins: np.ndarray, totals: np.ndarray) -> pa.Array:
    """Each row's parts as map<family or "base", log-odds>, which sum to `margins`.

    `totals` are what each family adds (rows × families)."""
    base = margins.copy()
    for column in totals.T:  # one after the other, as everywhere: the same for one row and for many
        base -= column
    values = np.round(np.column_stack([totals, base]), _DIGITS) + 0.0
    keys = [*(family.name for family in FAMILIES), BASE]
    offsets = np.arange(len(margins) + 1, dtype=np.int32) * len(keys)
    return pa.MapArray.from_arrays(pa.array(offsets), pa.array(keys * len(margins)), pa.array(values.ravel()))


def points_between(
    before: np.ndarray, after: np.ndarray, said_before: np.ndarray, said_now: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Points of 100 by which each part moved the probability (rows × parts), and what no part tells (rows).

    Points are the pieces of log-odds times the slope from one probability to the other, so that they sum
    exactly to the change.
    """
    first, last = log_odds(said_before), log_odds(said_now)
    span, middle = last - first, (said_before + said_now) / 2
    moved = np.abs(span) > _ALMOST_EQUAL
    slope = np.divide(said_now - said_before, span, out=middle * (1 - middle), where=moved)
    moves = after - before
    return 100 * moves * slope[:, None], 100 * (span - moves.sum(axis=1)) * slope


def log_odds(probability: np.ndarray) -> np.ndarray:
    """The log-odds of probabilities, those of nought and one kept finite."""
    bounded = np.clip(probability, 1e-9, 1 - 1e-9)
    result: np.ndarray = np.log(bounded / (1 - bounded))
    return result


def movements(
    earlier: Sequence[Said | None],
    *,
    since: date,
    as_of: date,
    probability: np.ndarray,
    parts: Sequence[Mapping[str, float]],
    codes: Sequence[Collection[str]],
) -> list[Moved | None]:
    """Why each score moved since its earlier one; None where there is none."""
    found: list[Moved | None] = [None] * len(earlier)
    places = [place for place, said in enumerate(earlier) if said is not None]
    pairs = [(place, said) for place in places if (said := earlier[place]) is not None]
    if not pairs:
        return found
    then = np.array([said.probability for _, said in pairs])
    now = probability[places]
    points, rest = points_between(
        _matrix([said.parts for _, said in pairs]), _matrix([parts[place] for place in places]), then, now
    )
    points[:, -1] += rest
    steps = _in_hundredths(points, np.rint(100 * _HUNDREDTHS * (now - then)))
    said_since = write_day(since, as_of)
    for (place, said), own in zip(pairs, steps, strict=True):
        fresh = [CODE_OF[code] for code in codes[place] if code in CODE_OF and code not in said.codes]
        words = {(code.family, code.supports): code.words for code in reversed(fresh)}
        found[place] = _moved(own, since, said_since, words)
    return found


def moved_column(rows: Sequence[Moved | None]) -> pa.Array:
    """The movements as struct<since, points, sentence, steps: list<struct<family, points>>>."""
    return pa.array(
        [
            None
            if row is None
            else {
                "since": row.since.isoformat(),
                "points": row.points,
                "sentence": row.sentence,
                "steps": [{"family": cause, "points": points} for cause, points in row.steps],
            }
            for row in rows
        ],
        MOVED,
    )


def _matrix(parts: Sequence[Mapping[str, float]]) -> np.ndarray:
    names = (*(family.name for family in FAMILIES), BASE)
    return np.array([[each.get(name, 0.0) for name in names] for each in parts])


def _in_hundredths(points: np.ndarray, change: np.ndarray) -> np.ndarray:
    """The points in whole hundredths that sum to each row's change: the largest remainders are rounded up."""
    exact = points * _HUNDREDTHS
    floors = np.floor(exact)
    short = (change - floors.sum(axis=1)).astype(np.int64)
    order = np.argsort(-(exact - floors), axis=1, kind="stable")
    ranks = np.empty_like(order)
    np.put_along_axis(ranks, order, np.arange(points.shape[1])[None, :], axis=1)
    # rounding errors may leave it one over or under what a hundredth for each would settle
    extra, left = np.divmod(short, points.shape[1])
    whole: np.ndarray = floors + extra[:, None] + (ranks < left[:, None])
    return whole.astype(np.int64)


def _moved(steps: np.ndarray, since: date, said_since: str, words: Mapping[tuple[str, bool], str]) -> Moved:
    order = np.argsort(-np.abs(steps), kind="stable").tolist()
    named = [(CAUSES[cause], int(steps[cause])) for cause in order if abs(steps[cause]) >= _NAMED]
    change = int(steps.sum())
    rest = change - sum(size for _, size in named)
    kept = [*named, (SMALLER, rest)] if rest else named
    return Moved(
        since=since,
        points=change / _HUNDREDTHS,
        sentence=_sentence(change, named, said_since, words),
        steps=tuple((cause, size / _HUNDREDTHS) for cause, size in kept),
    )


def _sentence(
    change: int, named: Sequence[tuple[str, int]], since: str, words: Mapping[tuple[str, bool], str]
) -> str:
    whole = _whole(change)
    shown = [
        f"{words.get((cause, size > 0), _WORDS[cause])} ({_signed(_whole(size))})"
        for cause, size in named
        if _whole(size)
    ][:_SAID_STEPS]
    if not whole:
        head = f"Unchanged since {since}"
    else:
        head = f"{'Up' if whole > 0 else 'Down'} {abs(whole)} point{'s' * (abs(whole) != 1)} since {since}"
    return f"{head}: {', '.join(shown)}" if shown else head


def _whole(hundredths: int) -> int:
    return round(hundredths / _HUNDREDTHS)


def _signed(points: int) -> str:
    return f"{points:+d}".replace("-", "−")
