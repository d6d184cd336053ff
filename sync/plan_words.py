"""Why records are in a plan or out of it, rule by rule, in words: the noise gate, the skips, the guard."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from sync.approvals import SIZE_RULE
from sync.cells import Cell
from sync.guard import RELEASES, RULES
from sync.planned import Cause, Plan, PlannedChange, Skip, SkipReason
from sync.settings import GuardSettings, NoiseSettings

CAUSES: Final[Mapping[str, str]] = MappingProxyType(
    {
        Cause.NEWS: "in: tier, product, timing, health or play changed, the probability moved by {delta:.0f} "
        "points or more, or a cell of ours was emptied",
        Cause.FIRST_FILL: "in: cells that we have never written",
        Cause.REFRESH: "in: what stands there is as old as it may get ({refresh} days, spread over {spread})",
    }
)
SKIPS: Final[Mapping[str, str]] = MappingProxyType(
    {
        SkipReason.NOISE: "out: figures, ranks, dates moved, the probability by less than {delta:.0f} points",
        SkipReason.NO_CHANGE: "out: the CRM holds these values already",
        SkipReason.PERSON_EDIT: "left alone: holds what a person wrote, until they empty it or someone plans "
        "with --override person_edit",
        SkipReason.LOCKED: "out: an earlier write is not finished, or took its worker down",
        SkipReason.NO_CRM_RECORD: "out: no CRM record is known with confidence to be the account's",
        SkipReason.GONE: "out: the record was deleted",
        SkipReason.MERGED: "out: the record was merged into another, or another account has it",
        SkipReason.OPT_OUT: "out: a person ticked the opt-out",
        SkipReason.UNSAFE_VALUE: "out: a value is no finite number, or begins like a formula",
        SkipReason.OPEN_DEAL: "no task: an expansion opportunity is open",
        SkipReason.RED_HEALTH: "no task: health is red, retention comes first",
        SkipReason.ESCALATED_TICKET: "no task: an escalated ticket is open",
        SkipReason.NOT_BEFORE: "no task: a person set a day before which there is none",
        SkipReason.STATUS: "no task: a person set a status that speaks against it",
        SkipReason.TIMING: "no task: it is not the time",
        SkipReason.TIER: "no task: the tier is too low",
        SkipReason.NO_OWNER: "no task: the account has no active owner",
        SkipReason.TASK_EXISTS: "no task: this quarter's was made already",
        SkipReason.TASK_OPEN: "no task: another task of ours is open",
        SkipReason.COOL_OFF: "no task: its last one is too short a time ago",
        SkipReason.PLAY_ENDED: "its play does not fit any more",
        SkipReason.CAPACITY: "no task: others are worth more, and the owner's week is full",
    }
)
GUARD: Final[Mapping[str, str]] = MappingProxyType(
    {
        "empty_scores": "there are scores",
        "not_finite": "every score is a number",
        "changed_share": "no one thing changes for more than {0.max_changed_share:.0%} of the records",
        "score_jump": "the mean score moves by at most {0.max_score_jump:.0f} points",
        "probability_shift": "the mean probability stays within {shift:.0f} points of the last scoring",
        "score_drift": "the scores are spread as before (stability index up to {0.max_score_drift:.2f})",
        "vanished_share": "at most {0.max_vanished_share:.0%} of the accounts scored last are gone",
        "stale_inputs": "usage and last pull are at most {0.max_input_age_days} days old",
        "empty_inputs": "no table of the lake lost all its rows",
        "old_model": "the model is at most {0.max_model_age_days} days old",
        "schema_drift": "the org defines our fields as at the last plan",
        "quota": "the API calls fit into our share of today's",
        "first_fill": "no field waits for the approval of its first fill",
        "closed_share": "at most {0.max_closed_share:.0%} of our open tasks are closed at once",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """One rule: its name, how many records, cells or accounts it concerns (None: the plan), and the words."""

    rule: str
    count: int | None
    words: str


def explain_plan(plan: Plan, noise: NoiseSettings) -> list[Explained]:
    """The noise gate and every skip with its count; records first, then cells, then tasks."""
    facts = {
        "delta": 100 * noise.probability_delta,
        "refresh": noise.refresh_days,
        "spread": noise.spread_days,
    }
    causes = plan.changes_by_cause()
    found = [
        Explained(rule=cause, count=causes[cause], words=words.format(**facts))
        for cause, words in CAUSES.items()
        if cause in causes
    ]
    plays, ended = plan.tasks_by_play(), plan.closings_by_reason()
    found += [Explained(rule=play, count=plays[play], words="in: a task in this play") for play in plays]
    found += [
        Explained(rule=reason, count=ended[reason], words=f"task closed: {_cause(reason)}")
        for reason in ended
    ]
    for subject in ("score", "cell", "task"):
        found += [
            Explained(rule=reason, count=count, words=SKIPS[reason].format(**facts))
            for reason, count in plan.skips_by_reason(subject).items()
        ]
    return found


def explain_guard(plan: Plan, limits: GuardSettings) -> list[Explained]:
    """Every guard rule: what it stands for where it is kept, else what is wrong and what lets it pass."""
    broken = {finding.rule: finding for finding in plan.findings}
    told = []
    for rule in RULES:
        if rule in RELEASES:
            continue
        if rule in broken:
            how = f"upswell approve {plan.id}" if rule == SIZE_RULE else f"--override {rule}"
            words = f"STOPS: {broken[rule].message}. To pass: {how}"
        else:
            words = "kept: " + GUARD[rule].format(limits, shift=100 * limits.max_probability_shift)
        told.append(Explained(rule=rule, count=None, words=words))
    return told


def explain_account(plan: Plan, account: str) -> list[Explained]:
    """Why one account's record, its cells and its task are in or out; `account` is its id or record id."""
    names = {account}
    told = [
        Explained(rule=change.cause, count=None, words=_why_in(change))
        for change in plan.changes
        if names & {change.account_id, change.record_id}
    ]
    told += [
        Explained(rule="task", count=None, words=f"in: {task.why}")
        for task in plan.tasks
        if names & {task.account_id, task.draft.account_crm_id}
    ]
    told += [
        Explained(rule="close", count=None, words=f"task closed: {closing.note}")
        for closing in plan.closings
        if names & {closing.account_id, closing.account_crm_id}
    ]
    told += [
        Explained(rule=skip.reason, count=None, words=_why_out(skip))
        for skip in plan.skips
        if names & {skip.account_id, skip.record_id}
    ]
    return told


def _cause(reason: str) -> str:
    """The words of a skip, for a task that is closed for the same reason."""
    return SKIPS[reason].removeprefix("no task: ").removeprefix("out: ")


def _why_in(change: PlannedChange) -> str:
    if change.cause is Cause.REFRESH:
        return f"in: {change.why}"
    moves = ", ".join(_move(cell) for cell in change.cells if cell.key in change.news)
    return f"in: {moves}"


def _move(cell: Cell) -> str:
    before = "empty" if cell.before is None else cell.before
    return f"{cell.key} {before} → {'empty' if cell.after is None else cell.after}"


def _why_out(skip: Skip) -> str:
    out = {"score": "out", "cell": "left alone", "task": "no task"}[skip.subject]
    return f"{out}: {skip.detail}"
