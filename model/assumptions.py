"""What a person assumes of an account, read from text such as `seats_used=+10,champion=gone`.

    feature=12      the feature is 12; 12% is 0.12 for a share or a change
    feature=+3      3 more than now; -3 less
    feature=+20%    a fifth more than now; -20% less
    champion=gone   a state in plain words (STATES)

Plain words for a feature are in WORDS.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from types import MappingProxyType
from typing import Final

from model.errors import ModelError
from model.features.families import CATALOGUE

WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "seats_used": "users_30",
        "active_users": "users_30",
        "usage": "events_30",
        "features_used": "features_30",
        "departments": "departments_30",
        "tier": "plan_tier",
        "renewal": "days_to_renewal",
        "csat": "csat_180",
        "api_calls": "limit_api",
        "storage": "limit_storage",
    }
)
"""What people call a feature."""

Row = Mapping[str, float]
"""An account's numeric features by name; NaN for unknown."""


def _fewer(row: Row, name: str) -> float:
    return max(row.get(name, 0.0) - 1.0, 0.0)


def _gone(who: str) -> Callable[[Row], dict[str, float]]:
    return lambda row: {
        f"{who}s": _fewer(row, f"{who}s"),
        "contacts_known": _fewer(row, "contacts_known"),
        "champion_left_180": row.get("champion_left_180", 0.0) + 1.0,
        "days_since_champion_left": 0.0,
        **_quiet(who)(row),
    }


def _quiet(who: str) -> Callable[[Row], dict[str, float]]:
    return lambda row: {
        f"{who}_days_30": 0.0,
        **({"champion_days_change": -row.get("champion_days_30", 0.0)} if who == "champion" else {}),
    }


def _active(who: str) -> Callable[[Row], dict[str, float]]:
    # half of the last month's working days
    days = 11.0
    return lambda row: {
        f"{who}s": max(row.get(f"{who}s", 0.0), 1.0),
        f"{who}_days_30": days,
        **(
            {"champion_last_seen": 0.0, "champion_days_change": days - row.get("champion_days_30", 0.0)}
            if who == "champion"
            else {}
        ),
    }


def _new(who: str) -> Callable[[Row], dict[str, float]]:
    return lambda row: {
        name: row.get(name, 0.0) + 1.0
        for name in (f"{who}s", "contacts_known", "contacts_new_90", "senior_contacts", "senior_new_90")
    }


def _set(**values: float) -> Callable[[Row], dict[str, float]]:
    return lambda _: values


def _trigger(kind: str) -> Callable[[Row], dict[str, float]]:
    return lambda row: {
        f"days_since_{kind}": 0.0,
        "days_since_trigger": 0.0,
        "triggers_90": row.get("triggers_90", 0.0) + 1.0,
        "triggers_365": row.get("triggers_365", 0.0) + 1.0,
    }


STATES: Final[Mapping[str, Mapping[str, Callable[[Row], dict[str, float]]]]] = MappingProxyType(
    {
        **{
            who: {"gone": _gone(who), "quiet": _quiet(who), "active": _active(who), "new": _new(who)}
            for who in ("champion", "sponsor")
        },
        "escalation": {"open": _set(escalations_open=1.0), "none": _set(escalations_open=0.0)},
        "meeting": {
            "today": lambda row: {
                "days_since_meeting": 0.0,
                "days_since_touch": 0.0,
                "meetings_90": row.get("meetings_90", 0.0) + 1.0,
                "touches_30": row.get("touches_30", 0.0) + 1.0,
            },
            "none": _set(days_since_meeting=120.0, meetings_90=0.0),
        },
        "qbr": {
            "good": _set(qbr_outcome=1.0, days_since_qbr=0.0),
            "bad": _set(qbr_outcome=-1.0, days_since_qbr=0.0),
        },
        "trigger": {
            kind.removeprefix("days_since_"): _trigger(kind.removeprefix("days_since_"))
            for kind in CATALOGUE
            if CATALOGUE[kind].source == "triggers"
            and kind.startswith("days_since_")
            and kind[11:] != "trigger"
        },
    }
)
"""States in plain words, and the features that they set."""

_NUMBER: Final = re.compile(r"([+\-−]?)(\d+(?:\.\d+)?)(%?)")
_EXAMPLE: Final = "seats_used=+10,champion=gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumption:
    """One thing assumed: a state of `STATES`, a text of a category, or a number; `said` as it was written."""

    said: str
    name: str  # a feature, or a word of STATES
    state: str = ""
    text: str = ""
    sign: str = ""  # "+" or "-": on top of the value now
    amount: float = 0.0
    percent: bool = False


def read_assumptions(text: str) -> tuple[Assumption, ...]:
    """The assumptions of a text, in its order. Raises ModelError naming the one that can't be read."""
    found = tuple(_read(part.strip()) for part in text.split(",") if part.strip())
    if not found:
        raise ModelError("Nothing is assumed.", fix=f"Write it like {_EXAMPLE}.")
    names = [each.name for each in found]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ModelError(f"{twice} is assumed twice.", fix="Say it once.")
    return found


def _read(said: str) -> Assumption:
    word, equals, value = (part.strip() for part in said.partition("="))
    if not equals or not value:
        raise ModelError(f"{said!r} assumes nothing.", fix=f"Write it like {_EXAMPLE}.")
    if word in STATES:
        if value not in STATES[word]:
            raise ModelError(
                f"{word} can't be {value!r} in a what-if.", fix=f"Say {' or '.join(STATES[word])}."
            )
        return Assumption(said=said, name=word, state=value)
    name = WORDS.get(word, word)
    if name not in CATALOGUE:
        raise ModelError(f"There is no feature {word!r}.", fix=_nearest(word))
    if CATALOGUE[name].categorical:
        return Assumption(said=said, name=name, text=value)
    number = _NUMBER.fullmatch(value.replace(" ", ""))
    if number is None:
        raise ModelError(
            f"{value!r} is no number for {word}.", fix=f"Write {word}=12, {word}=+3 or {word}=+20%."
        )
    sign, amount, percent = number.groups()
    return Assumption(
        said=said, name=name, sign=sign.replace("−", "-"), amount=float(amount), percent=bool(percent)
    )


def _nearest(word: str) -> str:
    known = (*STATES, *WORDS, *CATALOGUE)
    near = [name for name in known if word and word in name][:3] or get_close_matches(word, known, n=3)
    if near:
        return f"Did you mean {' or '.join(near)}?"
    return "upswell features lists them all."
