"""Rules that stop a bad run before it writes; each names its figure, its limit and its override.

    rule               it stops when                                                    [guard] setting
    empty_scores       no account was scored
    not_finite         a score is no number, or no probability
    changed_share      more of the records that hold a score change in the same thing   max_changed_share
    score_jump         the scores in the CRM move by more points in the mean            max_score_jump
    probability_shift  the mean probability moved since the last scoring                max_probability_shift
    score_drift        the scores are spread otherwise than at the last scoring         max_score_drift
    vanished_share     accounts scored last are gone                                    max_vanished_share
    stale_inputs       the newest usage, or the last pull, is older than so many days   max_input_age_days
    empty_inputs       a table of the lake that held rows at the last plan holds none
    old_model          the model was trained more than so many days ago                 max_model_age_days
    schema_drift       the org defines a field otherwise than at the last plan
    quota              the plan needs more API calls than our share of today's leaves   [budget]
    first_fill         fields that we have never written in this org, not yet approved

Only news counts as changed: cells that we never wrote (a first fill) have nothing to compare with, and a
record that is only refreshed because of its age says nothing new. Tier, probability, product, timing, health
and play are counted each by itself, and the largest share is the figure: in an ordinary week each moves for
some other records, and a fault moves one thing for many. Shares count once there are enough accounts for a
share to mean something. "Last" is the last plan that was applied.

`--override NAME` passes a rule over, but `changed_share` takes an approval (`sync/approvals.py`), which does
for `first_fill` too. `person_edit` and `locked` are no rules of the guard: they release, when the plan is
made, cells that people changed and records that are held.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from typing import Any, Final

from connectors.crm import Value
from sync.guard_surroundings import Surroundings, check_surroundings
from sync.planned import Cause, Finding, PlannedChange
from sync.settings import GuardSettings

RELEASES: Final = ("person_edit", "locked")
"""What is released when a plan is made, by the same option."""
RULES: Final = (
    "empty_scores", "not_finite", "changed_share", "score_jump", "probability_shift", "score_drift",
    "vanished_share", "stale_inputs", "empty_inputs", "old_model", "schema_drift", "quota", "first_fill",
    "closed_share", *RELEASES,
)  # fmt: skip
"""Every name that `--override` takes."""
ENOUGH: Final = 20
"""Accounts below which a share says nothing: one account of ten is no landslide."""
NUMBERS: Final = ("probability", "arr_if_expands", "arr_low", "arr_high", "expected_arr")


def check(
    scores: Sequence[Mapping[str, Any]],
    changes: Sequence[PlannedChange],
    limits: GuardSettings,
    *,
    held_scores: Mapping[str, Value],
    scored_last: Set[str],
    surroundings: Surroundings | None = None,
) -> tuple[Finding, ...]:
    """The rules that this plan breaks.

    `held_scores` is the score in the CRM by record id, where there is one; `scored_last` holds the record
    ids of the scoring before this one; `surroundings` is what the plan was made in, where that is known."""
    found = (
        _empty(scores),
        _not_finite(scores),
        *_change(held_scores, changes, limits),
        _vanished(scores, scored_last, limits),
        *(() if surroundings is None else check_surroundings(scores, surroundings, limits)),
    )
    return tuple(finding for finding in found if finding is not None)


def changed_records(changes: Sequence[PlannedChange]) -> dict[str, int]:
    """Records of which the plan says something new, by what is new, most first.

    The score counts as its probability; a record is in as many counts as things are new about it."""
    kinds = Counter(
        kind
        for change in changes
        if change.cause is Cause.NEWS
        for kind in {"probability" if key == "score" else key for key in change.news}
    )
    return dict(sorted(kinds.items(), key=lambda kind: (-kind[1], kind[0])))


def _empty(scores: Sequence[Mapping[str, Any]]) -> Finding | None:
    if scores:
        return None
    return Finding(
        rule="empty_scores",
        figure=0,
        limit=1,
        message="no account was scored",
        override="empty_scores",
    )


def _not_finite(scores: Sequence[Mapping[str, Any]]) -> Finding | None:
    broken = [row for row in scores if not all(_is_sound(row[name]) for name in NUMBERS)]
    wild = [row for row in scores if row["probability"] is not None and not 0 <= row["probability"] <= 1]
    count = len({row["account_id"] for row in (*broken, *wild)})
    if not count:
        return None
    first = (*broken, *wild)[0]["account_id"]
    return Finding(
        rule="not_finite",
        figure=count,
        limit=0,
        message=f"{count} accounts have a score that is no number or no probability, the first is {first}",
        override="not_finite",
    )


def _change(
    held_scores: Mapping[str, Value], changes: Sequence[PlannedChange], limits: GuardSettings
) -> tuple[Finding | None, ...]:
    """Too many records changed, or the scores moved too far in the mean."""
    scored_before = len(held_scores)
    if scored_before < ENOUGH:
        return ()
    moves = 0.0
    for change in changes:
        score = next((cell for cell in change.cells if cell.key == "score"), None)
        if score is not None and _is_number(score.before) and _is_number(score.after):
            moves += abs(float(score.after) - float(score.before))  # type: ignore[arg-type]  # checked above
    what, count = next(iter(changed_records(changes).items()), ("", 0))
    share, mean_move = count / scored_before, moves / scored_before
    findings: list[Finding | None] = []
    if share > limits.max_changed_share:
        findings.append(
            Finding(
                rule="changed_share",
                figure=share,
                limit=limits.max_changed_share,
                message=f"{share:.0%} of the records that hold a score change their {what.replace('_', ' ')} "
                f"(limit {limits.max_changed_share:.0%})",
                override="changed_share",
            )
        )
    if mean_move > limits.max_score_jump:
        findings.append(
            Finding(
                rule="score_jump",
                figure=mean_move,
                limit=limits.max_score_jump,
                message=f"the mean score moves by {mean_move:.0f} points (limit {limits.max_score_jump:.0f})",
                override="score_jump",
            )
        )
    return tuple(findings)


def _vanished(
    scores: Sequence[Mapping[str, Any]], scored_last: Set[str], limits: GuardSettings
) -> Finding | None:
    """Accounts that we scored before and that are not among the scores now."""
    if len(scored_last) < ENOUGH:
        return None
    share = len(scored_last - {row["crm_id"] for row in scores}) / len(scored_last)
    if share <= limits.max_vanished_share:
        return None
    return Finding(
        rule="vanished_share",
        figure=share,
        limit=limits.max_vanished_share,
        message=f"{share:.0%} of the accounts scored before have no score now "
        f"(limit {limits.max_vanished_share:.0%})",
        override="vanished_share",
    )


def _is_sound(value: float | None) -> bool:
    return value is None or math.isfinite(value)


def _is_number(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
