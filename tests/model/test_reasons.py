"""Facts about reasons: which are said, in which order, and on which side."""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa

from model.features.families import CATALOGUE, FAMILY_OF
from model.panel import Rows
from model.reasons import MAX_AGAINST, MAX_FOR, MIN_SHARE, explain, family_shares
from model.trained import TrainedModel

AS_OF = date(2026, 11, 2)


def test_a_limit_is_named_where_it_can_be() -> None:
    """API calls speak for their family even if the tightest limit as such moved the score more."""
    days = [AS_OF] * 2
    table = pa.table({"limit_utilisation": [0.9, 0.9], "limit_api": [0.9, None], "as_of": days})
    moved = np.array([[0.5, 0.1], [0.5, 0.1]])
    both = explain(table, moved, ["limit_utilisation", "limit_api"]).supporting.to_pylist()
    assert both[0][0]["sentence"] == "90 % of the plan's API calls used (usage, 2 Nov)"
    assert both[1][0]["sentence"] == "90 % of the tightest metered limit used (usage, 2 Nov)"


def test_a_full_licence_says_how_full_and_for_how_long() -> None:
    """The number, its direction, the weeks and the source, as a person would say it."""
    table = pa.table({"seat_utilisation": [0.96], "seat_weeks_above_90": [6.0], "as_of": [AS_OF]})
    told = explain(
        table, np.array([[0.1, 0.5]]), list(table.column_names[:2]), {"events": date(2026, 10, 30)}
    )
    (reason,) = told.supporting[0].as_py()
    assert reason["sentence"] == "Seats 96 % used, above 90 % for 6 weeks (usage, 30 Oct)"
    assert reason["code"] == "SEATS_FULL"


def test_a_reason_keeps_what_its_sentence_is_made_of() -> None:
    """Feature, table, day and each value with its unit, so that it can be said in another language."""
    table = pa.table({"seat_utilisation": [0.96], "seat_weeks_above_90": [6.0], "as_of": [AS_OF]})
    told = explain(
        table, np.array([[0.1, 0.5]]), list(table.column_names[:2]), {"events": date(2026, 10, 30)}
    )
    (reason,) = told.supporting[0].as_py()
    assert (reason["feature"], reason["source"], reason["day"]) == (
        "seat_weeks_above_90",
        "usage",
        "2026-10-30",
    )
    assert reason["values"] == [
        {"name": "seat_utilisation", "value": 0.96, "unit": "share"},
        {"name": "seat_weeks_above_90", "value": 6.0, "unit": "weeks"},
    ]


def test_a_figure_that_is_unknown_gives_the_word_to_the_next_feature() -> None:
    """The weeks above 90 % can't be said without the utilisation; without both the family is silent."""
    table = pa.table(
        {
            "seat_weeks_above_90": [6.0, 6.0],
            "seat_utilisation": [None, None],
            "seat_utilisation_max": [0.97, None],
            "as_of": [AS_OF] * 2,
        }
    )
    told = explain(table, np.full((2, 3), 0.5), table.column_names[:3])
    assert told.codes.to_pylist() == [["SEAT_PEAK"], []]


def test_a_signal_that_moved_the_score_the_other_way_says_nothing() -> None:
    """A full licence that counts against an account, or an empty one that counts for it, is no reason."""
    table = pa.table({"seat_utilisation": [0.96, 0.4, 0.96, 0.4], "as_of": [AS_OF] * 4})
    told = explain(table, np.array([[-0.5], [0.5], [0.5], [-0.5]]), ["seat_utilisation"])
    assert told.codes.to_pylist() == [[], [], ["SEAT_PRESSURE"], ["SEATS_FREE"]]


def test_every_reason_is_the_strongest_true_thing_its_family_can_say(
    trained: TrainedModel, rows: Rows
) -> None:
    """Checked row by row against the rule itself: strongest families first, no side over its limit."""
    contributions = trained.contributions(rows.table)
    told = explain(rows.table, contributions, trained.features, rows.through)
    shares = family_shares(contributions, trained.features)
    families = list(dict.fromkeys(FAMILY_OF.values()))
    for row in range(0, rows.table.num_rows, 8):
        values = rows.table.slice(row, 1).to_pylist()[0]
        for side, most, up in ((told.supporting, MAX_FOR, True), (told.opposing, MAX_AGAINST, False)):
            wanted = []
            for family in sorted(range(len(families)), key=lambda f: -abs(shares[row, f])):
                share = shares[row, family]
                if abs(share) < MIN_SHARE or (share > 0) != up or len(wanted) == most:
                    continue
                code = _strongest(values, contributions[row], trained.features, families[family], up=up)
                if code is not None:
                    wanted.append((code, round(abs(share), 4)))
            assert [(each["code"], each["share"]) for each in side[row].as_py()] == wanted


def _strongest(
    values: dict[str, float], moved: np.ndarray, features: tuple[str, ...], family: str, *, up: bool
) -> str | None:
    own = [place for place, name in enumerate(features) if FAMILY_OF[name] == family]
    for place in sorted(own, key=lambda p: (CATALOGUE[features[p]].vague, -abs(moved[p]))):
        name = features[place]
        if (moved[place] > 0) != up or moved[place] == 0:
            continue
        for phrase in CATALOGUE[name].phrases:
            needed = [
                values[n]
                for n in (name, *values)
                if n == name or f"{{{n}" in phrase.text.replace(":size", "")
            ]
            known = not any(
                value is None or np.isnan(value) for value in needed if not isinstance(value, str | bool)
            )
            low = phrase.at_least is None or values[name] >= phrase.at_least
            high = phrase.at_most is None or values[name] <= phrase.at_most
            odd = phrase.unless is not None and known and round(values[name]) == phrase.unless
            if phrase.supports == up and known and low and high and not odd:
                return phrase.code
    return None
