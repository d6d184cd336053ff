"""Why an account has its score: contributions by signal family, as shares, codes and sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from model.features.families import CATALOGUE, FAMILIES, FAMILY_OF
from model.wordsmith import sentence

MAX_FOR, MAX_AGAINST = 3, 2
# A family that moves the score by less than this share is noise, not a reason.
MIN_SHARE = 0.02

REASON_TYPE = pa.list_(
    pa.struct(
        [("code", pa.string()), ("family", pa.string()), ("share", pa.float64()), ("sentence", pa.string())]
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One reason: its stable code, family, share of all movement (0–1) and sentence."""

    code: str
    family: str
    share: float
    sentence: str


def family_shares(contributions: np.ndarray, features: Sequence[str]) -> np.ndarray:
    """rows × families: each family's signed share of the score's movement; the absolute values sum to 1.

    `contributions` are rows × features on the log-odds scale (SHAP values, rule points, or a blend). A row
    that nothing moves has shares of 0.
    """
    totals = _family_totals(contributions, features)
    size = np.abs(totals).sum(axis=1, keepdims=True)
    shares: np.ndarray = np.divide(totals, size, out=np.zeros_like(totals), where=size > 0)
    return shares


def explain(
    table: pa.Table, contributions: np.ndarray, features: Sequence[str]
) -> tuple[list[list[Reason]], list[list[Reason]]]:
    """Up to three reasons for and two against, a row each, the largest share first.

    A family speaks through its feature that moved the score most in the family's own direction, knows a
    phrase for that direction, and has a value where the phrase is true; a family without one is silent.
    """
    shares = family_shares(contributions, features)
    members = _members(features)
    supporting: list[list[Reason]] = []
    opposing: list[list[Reason]] = []
    columns = {name: table[name].to_numpy() for name in features if CATALOGUE[name].phrases}
    for row in range(table.num_rows):
        found: dict[bool, list[Reason]] = {True: [], False: []}
        for family in np.argsort(-np.abs(shares[row]), kind="stable"):
            share = float(shares[row, family])
            side = found[share > 0]
            if abs(share) < MIN_SHARE or len(side) >= (MAX_FOR if share > 0 else MAX_AGAINST):
                continue
            by_size = sorted(
                members[family], key=lambda m: (CATALOGUE[m[1]].vague, -abs(contributions[row, m[0]]))
            )
            along = [name for i, name in by_size if contributions[row, i] * share > 0 and name in columns]
            spoken = _speak(table, row, along, columns, share=share)
            if spoken is not None:
                side.append(spoken)
        supporting.append(found[True])
        opposing.append(found[False])
    return supporting, opposing


def _speak(
    table: pa.Table,
    row: int,
    names: Sequence[str],
    columns: dict[str, np.ndarray],
    *,
    share: float,
) -> Reason | None:
    """The first of the features that has a true phrase in the direction of `share`."""
    supports = share > 0
    for name in names:
        value = float(columns[name][row])
        if np.isnan(value):
            continue
        for phrase in CATALOGUE[name].phrases:
            if phrase.supports == supports and phrase.holds(value):
                text = sentence(table, row, name, phrase.text)
                if text is not None:
                    return Reason(code=phrase.code, family=FAMILY_OF[name], share=abs(share), sentence=text)
    return None


def _members(features: Sequence[str]) -> list[list[tuple[int, str]]]:
    """For each family, its features with their column."""
    return [
        [(i, name) for i, name in enumerate(features) if FAMILY_OF[name] == family.name]
        for family in FAMILIES
    ]


def _family_totals(contributions: np.ndarray, features: Sequence[str]) -> np.ndarray:
    places = {family.name: place for place, family in enumerate(FAMILIES)}
    totals = np.zeros((len(contributions), len(FAMILIES)))
    # one column after the other: a matrix product rounds differently for one row than for many
    for column, name in enumerate(features):
        totals[:, places[FAMILY_OF[name]]] += contributions[:, column]
    return totals


def reason_column(rows: list[list[Reason]]) -> pa.Array:
    """The reasons as list<struct<code, family, share, sentence>>."""
    return pa.array(
        [
            [
                {"code": r.code, "family": r.family, "share": round(r.share, 4), "sentence": r.sentence}
                for r in reasons
            ]
            for reasons in rows
        ],
        REASON_TYPE,
    )
