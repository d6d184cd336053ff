"""Rules that stop a bad run before it writes; each names its figure, its limit and its override.

A first fill has nothing to compare with, so the rules about change look only at accounts that the CRM
held a score for, and only once there are enough of them for a share to mean something.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence, Set
from typing import Any, Final

from connectors.crm import Value
from sync.planned import Finding, PlannedChange
from sync.settings import GuardSettings

RULES: Final = ("empty_scores", "not_finite", "changed_share", "score_jump", "vanished_share")
"""Every rule by the name under which it can be passed over."""
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
) -> tuple[Finding, ...]:
    """The rules that this plan breaks.

    `held_scores` is the score in the CRM by record id, where there is one; `scored_last` holds the record
    ids of the scoring before this one."""
    found = (
        _empty(scores),
        _not_finite(scores),
        *_change(held_scores, changes, limits),
        _vanished(scores, scored_last, limits),
    )
    return tuple(finding for finding in found if finding is not None)


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
    """Too many tiers changed, or the scores moved too far in the mean."""
    scored_before = len(held_scores)
    if scored_before < ENOUGH:
        return ()
    retiered, moves = 0, 0.0
    for change in changes:
        cells = {cell.key: cell for cell in change.cells}
        tier, score = cells.get("tier"), cells.get("score")
        retiered += tier is not None and tier.before is not None
        if score is not None and _is_number(score.before) and _is_number(score.after):
            moves += abs(float(score.after) - float(score.before))  # type: ignore[arg-type]  # checked above
    share, mean_move = retiered / scored_before, moves / scored_before
    findings: list[Finding | None] = []
    if share > limits.max_changed_share:
        findings.append(
            Finding(
                rule="changed_share",
                figure=share,
                limit=limits.max_changed_share,
                message=f"{share:.0%} of the accounts change tier (limit {limits.max_changed_share:.0%})",
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
