"""Why an account has its score: contributions by signal family, as shares, codes and sentences.

All rows are looked at together, a feature at a time; only the sentences that are said are written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import pyarrow as pa

from model.features.families import CATALOGUE, FAMILIES, FAMILY_OF
from model.features.feature import Phrase
from model.frame import numbers
from model.shapes import REASON, TEXT
from model.wordsmith import figures, figures_of, sentences

MAX_FOR, MAX_AGAINST = 3, 2
# A family that moves the score by less than this share is noise, not a reason.
MIN_SHARE = 0.02
_SHARE_DIGITS: Final = 4
_NOTHING: Final = pa.schema(list(REASON)[3:]).empty_table()  # what is told in a cell


@dataclass(frozen=True, slots=True, kw_only=True)
class Reasons:
    """The reasons of all rows: `supporting` and `opposing` list<model.shapes.REASON>, the largest share (of
    all movement, 0–1) first, and the `codes` of both, list<string>."""

    supporting: pa.Array
    opposing: pa.Array
    codes: pa.Array


def family_shares(contributions: np.ndarray, features: Sequence[str]) -> np.ndarray:
    """rows × families: each family's signed share of the score's movement; the absolute values sum to 1.

    `contributions` are rows × features on the log-odds scale (SHAP values, rule points, or a blend). A row
    that nothing moves has shares of 0.
    """
    totals = family_totals(contributions, features)
    size = np.abs(totals).sum(axis=1, keepdims=True)
    shares: np.ndarray = np.divide(totals, size, out=np.zeros_like(totals), where=size > 0)
    return shares


def family_totals(contributions: np.ndarray, features: Sequence[str]) -> np.ndarray:
    """rows × families: what each family adds to the log-odds, in the order of FAMILIES."""
    places = _places()
    totals = np.zeros((len(contributions), len(FAMILIES)))
    # one column after the other: a matrix product rounds differently for one row than for many
    for column, name in enumerate(features):
        totals[:, places[FAMILY_OF[name]]] += contributions[:, column]
    return totals


def explain(
    table: pa.Table,
    contributions: np.ndarray,
    features: Sequence[str],
    through: Mapping[str, date] | None = None,
) -> Reasons:
    """Up to three reasons for and two against, a row each, the largest share first.

    A family speaks through its feature that moved the score most in the family's own direction, knows a
    phrase for that direction, and has a value where the phrase is true; a family without one is silent.
    `through` has the newest day of which each source table tells anything.
    """
    shares = family_shares(contributions, features)
    spoken = _choose(table, contributions, features, shares > 0)
    size = np.where((spoken.which >= 0) & (np.abs(shares) >= MIN_SHARE), np.abs(shares), 0.0)
    sizes = [np.where(up, size, 0.0) for up in (shares > 0, shares < 0)]
    orders = [_largest(each, most) for each, most in zip(sizes, (MAX_FOR, MAX_AGAINST), strict=True)]
    said = np.zeros(size.shape, np.bool_)
    for each, order in zip(sizes, orders, strict=True):
        chosen = np.zeros(size.shape, np.bool_)
        np.put_along_axis(chosen, order, np.take_along_axis(each, order, axis=1) > 0, axis=1)
        said |= chosen
    written, told = _write(table, spoken, said, through)
    supporting, opposing = (
        _column(each, order, spoken, written, told) for each, order in zip(sizes, orders, strict=True)
    )
    return Reasons(
        supporting=supporting, opposing=opposing, codes=_both_codes(supporting, opposing, table.num_rows)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Spoken:
    """By row and family, the place in `phrases` of the one that may be said; −1: silent."""

    phrases: list[tuple[str, Phrase]]
    which: np.ndarray


def _choose(table: pa.Table, contributions: np.ndarray, features: Sequence[str], up: np.ndarray) -> _Spoken:
    places = _places()
    phrases: list[tuple[str, Phrase]] = []
    which = np.full(up.shape, -1, np.int64)
    moved = np.zeros(up.shape)
    # the vague ones come last: they speak only where none of the others can
    for vague in (False, True):
        settled = which >= 0
        for column, name in enumerate(features):
            if CATALOGUE[name].vague != vague or not CATALOGUE[name].phrases:
                continue
            family = places[FAMILY_OF[name]]
            size = np.where(up[:, family], 1.0, -1.0) * contributions[:, column]
            for phrase, holds in _sayable(table, name):
                stronger = holds & (size > moved[:, family]) & (up[:, family] == phrase.supports)
                stronger &= ~settled[:, family]
                phrases.append((name, phrase))
                which[stronger, family] = len(phrases) - 1
                moved[stronger, family] = size[stronger]
    return _Spoken(phrases=phrases, which=which)


def _sayable(table: pa.Table, name: str) -> Iterator[tuple[Phrase, np.ndarray]]:
    """Each phrase of a feature, and the rows in which it is true and all its figures are known."""
    values = numbers(table, name)
    for phrase in CATALOGUE[name].phrases:
        holds = phrase.holds(values) & ~np.isnan(values)
        for figure in figures_of(phrase.text):
            if figure != name and holds.any():
                holds &= ~np.isnan(numbers(table, figure))
        yield phrase, holds


def _write(
    table: pa.Table, spoken: _Spoken, said: np.ndarray, through: Mapping[str, date] | None
) -> tuple[np.ndarray, pa.Table]:
    """By row and family the place in a table of what is told: sentences and what they are made of.

    All rows of a phrase are written at once, a column after the other."""
    written = np.full(said.shape, -1, np.int64)
    rows, families = np.nonzero(said)
    which = spoken.which[rows, families]
    told, count = [_NOTHING], 0
    for place in np.unique(which).tolist():
        name, phrase = spoken.phrases[place]
        at = which == place
        texts = sentences(table, rows[at], name, phrase.text, through, dated=phrase.dated)
        made_of = figures(table, rows[at], name, phrase.text, through, dated=phrase.dated)
        told.append(made_of.append_column("sentence", pa.array(texts, TEXT)).select(_NOTHING.column_names))
        written[rows[at], families[at]] = np.arange(count, count + len(texts))
        count += len(texts)
    return written, pa.concat_tables(told)


def _largest(size: np.ndarray, most: int) -> np.ndarray:
    """By row, the places of the largest, the first one first."""
    return np.argsort(-size, axis=1, kind="stable")[:, :most]


def _column(
    size: np.ndarray, order: np.ndarray, spoken: _Spoken, written: np.ndarray, told: pa.Table
) -> pa.Array:
    """One side's reasons of each row."""
    shares = np.take_along_axis(size, order, axis=1)
    rows, ranks = np.nonzero(shares > 0)
    families = order[rows, ranks]
    codes = [spoken.phrases[place][1].code for place in spoken.which[rows, families].tolist()]
    names = [FAMILIES[family].name for family in families.tolist()]
    fields = [pa.array(codes, TEXT), pa.array(names, TEXT)]
    fields.append(pa.array(np.round(shares[rows, ranks], _SHARE_DIGITS)))
    chosen = told.take(pa.array(written[rows, families]))
    fields += [column.combine_chunks() for column in chosen.columns]
    offsets = np.concatenate([[0], np.cumsum((shares > 0).sum(axis=1))]).astype(np.int32)
    values = pa.StructArray.from_arrays(fields, fields=list(REASON))
    return pa.ListArray.from_arrays(pa.array(offsets), values)


def _both_codes(supporting: pa.Array, opposing: pa.Array, rows: int) -> pa.Array:
    sides = [
        (side.offsets.to_pylist(), side.values.field("code").to_pylist()) for side in (supporting, opposing)
    ]
    return pa.array(
        [
            [code for starts, codes in sides for code in codes[starts[row] : starts[row + 1]]]
            for row in range(rows)
        ],
        pa.list_(pa.string()),
    )


def _places() -> dict[str, int]:
    return {family.name: place for place, family in enumerate(FAMILIES)}
