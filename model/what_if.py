"""An account's row as it would be if something were so: what is assumed, and what moves along by a rule.

A what-if changes the account's own features of today. What hangs on them directly moves along (RULES, in
this order): the licence on its users, rates on their counts, growth on what there was before. Streaks of
weeks, the past, and other accounts stay as they are. What was assumed by name is never overwritten by a rule.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa

from model.assumptions import STATES, Assumption, Row
from model.errors import ModelError
from model.features.families import CATALOGUE

_RELATIVE: Final = ("share", "change")  # units of which 12 % is 0.12
_SIGNED: Final = ("change", "points")  # units that may be below nought
_DAMPING: Final = 2.0  # as in features of growth: one user more in a small team is no 100 %


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """`feature` is worked out anew when one of `needs` is assumed; `of` gets the row now, and as assumed."""

    feature: str
    needs: tuple[str, ...]
    of: Callable[[Row, Row], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A feature that is otherwise than now; `assumed` False: it moved along."""

    feature: str
    before: Any
    after: Any
    assumed: bool


def _licence(row: Row) -> float:
    """Seats as the features of seats count them: on the latest invoice, else as entitled."""
    return row["users_30"] + row["seat_headroom"]


def _seats(now: Row, then: Row) -> float:
    """The licence that goes with the assumption: as many seats more as were assumed."""
    more = then["seats"] - now["seats"]
    return _licence(now) + (0.0 if math.isnan(more) else more)


def _over(top: float, bottom: float) -> float:
    return top / bottom if bottom else math.nan


def _again(count: str, growth: str, *, damping: float = _DAMPING) -> Callable[[Row, Row], float]:
    """Growth from what there was before: that of now says how much it was."""

    def of(now: Row, then: Row) -> float:
        before = (now[count] - damping * now[growth]) / (1 + now[growth]) if now[growth] != -1 else math.nan
        return _over(then[count] - before, before + damping)

    return of


def _quotient(top: str, bottom: str) -> Callable[[Row, Row], float]:
    return lambda _, then: _over(then[top], then[bottom])


def _in_step(name: str, leader: str) -> Callable[[Row, Row], float]:
    """What changes in the same proportion as another count."""
    return lambda now, then: now[name] * _over(then[leader], now[leader])


RULES: Final = (
    Rule(
        feature="users_30",
        needs=("seat_utilisation",),
        of=lambda now, then: then["seat_utilisation"] * _seats(now, then),
    ),
    Rule(
        feature="seat_utilisation",
        needs=("users_30", "seats"),
        of=lambda now, then: _over(then["users_30"], _seats(now, then)),
    ),
    Rule(
        feature="seat_headroom",
        needs=("users_30", "seats"),
        of=lambda now, then: _seats(now, then) - then["users_30"],
    ),
    Rule(
        feature="seat_utilisation_max",
        needs=("seat_utilisation",),
        of=lambda now, then: max(now["seat_utilisation_max"], then["seat_utilisation"]),
    ),
    *(
        Rule(
            feature=f"seat_utilisation_change_{days}",
            needs=("seat_utilisation",),
            of=lambda now, then, name=f"seat_utilisation_change_{days}": (  # type: ignore[misc]
                now[name] + then["seat_utilisation"] - now["seat_utilisation"]
            ),
        )
        for days in (30, 60, 90, 180)
    ),
    Rule(
        feature="seat_days_to_limit",
        needs=("seat_headroom",),
        of=lambda now, then: 0.0 if then["seat_headroom"] <= 0 else now["seat_days_to_limit"],
    ),
    *(
        Rule(feature=growth, needs=("users_30",), of=_again("users_30", growth))
        for growth in ("users_growth_30", "users_growth_60", "users_growth_90", "users_growth_180")
    ),
    *(
        Rule(feature=name, needs=("events_30",), of=_in_step(name, "events_30"))
        for name in ("events_7", "events_90", "sessions_30")
    ),
    Rule(feature="usage_trend", needs=("events_90",), of=_again("events_90", "usage_trend")),
    Rule(feature="usage_trend_30", needs=("events_30",), of=_again("events_30", "usage_trend_30")),
    Rule(feature="events_per_user", needs=("events_30", "users_30"), of=_quotient("events_30", "users_30")),
    Rule(
        feature="sessions_per_user",
        needs=("sessions_30", "users_30"),
        of=_quotient("sessions_30", "users_30"),
    ),
    Rule(feature="stickiness", needs=("users_7", "users_30"), of=_quotient("users_7", "users_30")),
    Rule(feature="arr_per_seat", needs=("arr", "seats"), of=_quotient("arr", "seats")),
    Rule(
        feature="limit_utilisation",
        needs=("limit_api", "limit_storage"),
        of=lambda now, then: max(
            (then[name] for name in ("limit_api", "limit_storage") if not math.isnan(then[name])),
            default=now["limit_utilisation"],
        ),
    ),
)


def assume(row: pa.Table, assumptions: Sequence[Assumption]) -> tuple[pa.Table, tuple[Change, ...]]:
    """The table of one row as it would be, and all that is otherwise: what is assumed first.

    Raises ModelError for a change of what is not known, or a value that can't be."""
    values = row.to_pylist()[0]
    now = {name: _number(values.get(name)) for name in CATALOGUE if not CATALOGUE[name].categorical}
    then, texts = dict(now), {each.name: each.text for each in assumptions if each.text}
    assumed: dict[str, float] = {}
    for each in assumptions:
        if each.state:
            told = STATES[each.name][each.state]({k: 0.0 if math.isnan(v) else v for k, v in now.items()})
            assumed |= {name: value for name, value in told.items() if name not in assumed}
        elif not each.text:
            assumed[each.name] = _value(each, now[each.name])
    then |= assumed
    moved = {name for name in assumed if not _same(now[name], then[name])}
    for rule in RULES:
        if rule.feature in assumed or not moved & set(rule.needs):
            continue
        value = rule.of(now, then)
        if not math.isnan(value) and not _same(value, now[rule.feature]):
            then[rule.feature] = value
            moved.add(rule.feature)
    names = [*(name for name in assumed if name in moved), *sorted(moved - set(assumed))]
    changes = [
        Change(feature=name, before=_known(now[name]), after=then[name], assumed=name in assumed)
        for name in names
        if name in row.column_names
    ]
    changes += [
        Change(feature=name, before=values.get(name), after=text, assumed=True)
        for name, text in texts.items()
        if name in row.column_names and values.get(name) != text
    ]
    return _replaced(row, changes), tuple(changes)


def _value(assumption: Assumption, now: float) -> float:
    unit = CATALOGUE[assumption.name].unit
    if not assumption.sign:
        value = assumption.amount / 100 if assumption.percent and unit in _RELATIVE else assumption.amount
    elif math.isnan(now):
        raise ModelError(
            f"Nothing is known of {assumption.name} for this account, so it can't be changed by "
            f"{assumption.said.partition('=')[2]}.",
            fix=f"Say what it would be, such as {assumption.name}=12.",
        )
    else:
        step = assumption.amount if assumption.sign == "+" else -assumption.amount
        value = now * (1 + step / 100) if assumption.percent else now + step
    if value < 0 and unit not in _SIGNED:
        raise ModelError(
            f"{assumption.said}: {assumption.name} would be {value:g}, which can't be.",
            fix=f"It is {now:g} now: take away no more than that.",
        )
    return value


def _replaced(row: pa.Table, changes: Sequence[Change]) -> pa.Table:
    for change in changes:
        place = row.column_names.index(change.feature)
        kind = row.schema.field(change.feature).type
        row = row.set_column(place, change.feature, pa.array([change.after], kind))
    return row


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def _same(one: float, other: float) -> bool:
    return one == other or (math.isnan(one) and math.isnan(other)) or math.isclose(one, other, rel_tol=1e-9)
