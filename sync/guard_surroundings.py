"""Guard rules about what a plan was made in: the last scoring, the lake, the model, the org, the quota.

The table of all rules, with what each is called, stands in `sync/guard.py`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from zoneinfo import ZoneInfo

from connectors.crm import Usage
from connectors.errors import StateError
from model.drift import population_stability
from sync.lake_facts import LakeFacts
from sync.last_plan import LastPlan
from sync.planned import Finding
from sync.settings import BudgetSettings, GuardSettings
from sync.versions import version_day

ENOUGH_TO_SHIFT: Final = 20  # accounts scored both times, as for the shares
ENOUGH_TO_DRIFT: Final = 100  # below that, chance alone comes near the limit: see model/drift.py
ENOUGH_TO_CLOSE: Final = 20  # open tasks, as for the shares
STREAMS: Final = ("events", "usage", "crm_events", "crm_usage")
"""Tables that grow day by day; a company may deliver either. The others come when there is something."""
SHOWN: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a plan was made in. `first_fill` maps each field that waits for approval (vendor's name) to how
    many of its cells hold something already."""

    today: date
    timezone: str
    model_version: str
    last: LastPlan
    inputs: LakeFacts
    fields: Mapping[str, Mapping[str, Any]]
    api_calls: int
    usage: Usage
    budget: BudgetSettings
    first_fill: Mapping[str, int]
    closings: int = 0  # tasks to close
    open_tasks: int = 0  # of ours, that the CRM holds


def check_surroundings(
    scores: Sequence[Mapping[str, Any]], around: Surroundings, limits: GuardSettings
) -> Iterator[Finding | None]:
    """A finding for each of these rules that is broken."""
    yield _shift(scores, around, limits)
    yield _drift(scores, around, limits)
    yield _stale(around, limits)
    yield _emptied(around)
    yield _old_model(around, limits)
    yield _schema(around)
    yield _quota(around)
    yield _first_fill(around)
    yield _closed(around, limits)


def _shift(
    scores: Sequence[Mapping[str, Any]], around: Surroundings, limits: GuardSettings
) -> Finding | None:
    """The mean probability of the accounts scored both times went up or down."""
    now = _probabilities(scores)
    both = now.keys() & around.last.probabilities.keys()
    if len(both) < ENOUGH_TO_SHIFT:
        return None
    shift = sum(now[account] - around.last.probabilities[account] for account in both) / len(both)
    if abs(shift) <= limits.max_probability_shift:
        return None
    return _finding(
        "probability_shift",
        shift,
        limits.max_probability_shift,
        f"the mean probability moved by {100 * shift:+.1f} points since the last scoring "
        f"(limit {100 * limits.max_probability_shift:.1f})",
    )


def _drift(
    scores: Sequence[Mapping[str, Any]], around: Surroundings, limits: GuardSettings
) -> Finding | None:
    """The scores as a whole are spread otherwise than before."""
    now, before = list(_probabilities(scores).values()), list(around.last.probabilities.values())
    if min(len(now), len(before)) < ENOUGH_TO_DRIFT:
        return None
    index = population_stability(before, now)
    if index <= limits.max_score_drift:
        return None
    return _finding(
        "score_drift",
        index,
        limits.max_score_drift,
        f"the scores are spread otherwise than at the last scoring: population stability index {index:.2f} "
        f"(limit {limits.max_score_drift:.2f})",
    )


def _stale(around: Surroundings, limits: GuardSettings) -> Finding | None:
    """The usage data end too long ago, or the CRM was not read for too long."""
    zone = ZoneInfo(around.timezone)
    ends = [newest.astimezone(zone).date() for t, newest in around.inputs.newest.items() if t in STREAMS]
    pulled = around.inputs.pulled_until
    streams = {
        "the newest usage data are": max(ends, default=None),
        "the CRM was last read": None if pulled is None else pulled.astimezone(zone).date(),
    }
    ages = {what: (around.today - day).days for what, day in streams.items() if day is not None}
    oldest = max(ages, key=lambda what: ages[what], default=None)
    if oldest is None or ages[oldest] <= limits.max_input_age_days:
        return None
    days = ages[oldest]
    ending = "old" if oldest.endswith("are") else "ago"
    told = _set_aside(around.inputs, STREAMS) if oldest.endswith("are") else ""
    return _finding(
        "stale_inputs",
        days,
        limits.max_input_age_days,
        f"{oldest} {days} days {ending} (limit {limits.max_input_age_days}){told}",
    )


def _set_aside(inputs: LakeFacts, tables: Sequence[str]) -> str:
    """Words about export files of these tables that can't be read; nothing where there are none."""
    bad = [f"{inputs.quarantined[table]} of {table}" for table in tables if inputs.quarantined.get(table)]
    return f"; files are quarantined: {', '.join(bad)} (see: upswell exports status)" if bad else ""


def _emptied(around: Surroundings) -> Finding | None:
    """A table that held rows at the last plan holds none: an export was lost, or cut."""
    before = {} if around.last.inputs is None else around.last.inputs.rows
    emptied = sorted(table for table, rows in before.items() if rows and not around.inputs.rows.get(table))
    if not emptied:
        return None
    held = ", ".join(f"{table} ({before[table]:,} rows then)" for table in emptied)
    told = _set_aside(around.inputs, emptied)
    return _finding("empty_inputs", len(emptied), 0, f"the lake holds no rows any more of: {held}{told}")


def _old_model(around: Surroundings, limits: GuardSettings) -> Finding | None:
    try:
        age = (around.today - version_day(around.model_version)).days
    except StateError:
        return None  # a version under another name has no day
    if age <= limits.max_model_age_days:
        return None
    return _finding(
        "old_model",
        age,
        limits.max_model_age_days,
        f"the model {around.model_version} is {age} days old (limit {limits.max_model_age_days}); "
        "train anew with: upswell train",
    )


def _schema(around: Surroundings) -> Finding | None:
    """The org defines a field otherwise than when the last plan was made; another mapping is no drift."""
    drifted = []
    for key, now in around.fields.items():
        before = around.last.fields.get(key)
        if before is None or before["name"] != now["name"] or "type" not in before or "type" not in now:
            continue
        parts = [part for part in now if before.get(part) != now[part]]
        if parts:
            drifted.append(f"{now['name']} ({', '.join(parts)})")
    if not drifted:
        return None
    return _finding(
        "schema_drift",
        len(drifted),
        0,
        f"the org defines otherwise than at the last plan: {_some(drifted)}",
    )


def _quota(around: Surroundings) -> Finding | None:
    """The plan does not fit into what our share of the org's daily calls leaves."""
    used, limit = around.usage.org_used, around.usage.org_limit
    if used is None or limit is None:
        return None  # HubSpot tells no daily limit to some logins
    made = around.usage.calls if around.usage.ours is None else around.usage.ours
    ours = math.floor(limit * around.budget.daily_share) - made
    one_run = math.floor(limit * around.budget.daily_share * around.budget.run_share)
    everybodys = math.floor(limit * around.budget.org_ceiling) - used
    left = max(0, min(ours, one_run, everybodys))
    if around.api_calls <= left:
        return None
    return _finding(
        "quota",
        around.api_calls,
        left,
        f"the plan needs {around.api_calls:,} API calls, and our share of today's leaves {left:,}",
    )


def _first_fill(around: Surroundings) -> Finding | None:
    if not around.first_fill:
        return None
    held = sum(around.first_fill.values())
    replaced = f"; {held:,} of their cells hold something already" if held else "; their cells are empty"
    return _finding(
        "first_fill",
        len(around.first_fill),
        0,
        f"{len(around.first_fill)} fields are filled for the first time in this org and not yet approved: "
        f"{_some(sorted(around.first_fill))}{replaced}",
    )


def _closed(around: Surroundings, limits: GuardSettings) -> Finding | None:
    """Most of what people have on their lists would be closed at once."""
    if around.open_tasks < ENOUGH_TO_CLOSE:
        return None
    share = around.closings / around.open_tasks
    if share <= limits.max_closed_share:
        return None
    return _finding(
        "closed_share",
        share,
        limits.max_closed_share,
        f"{around.closings:,} of our {around.open_tasks:,} open tasks would be closed "
        f"(limit {limits.max_closed_share:.0%})",
    )


def _probabilities(scores: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    return {
        row["account_id"]: row["probability"]
        for row in scores
        if row["probability"] is not None and math.isfinite(row["probability"])
    }


def _some(names: Sequence[str]) -> str:
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def _finding(rule: str, figure: float, limit: float, message: str) -> Finding:
    return Finding(rule=rule, figure=figure, limit=limit, message=message, override=rule)
