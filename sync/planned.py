"""A plan as data: every cell before and after, every task, and every account left out with its reason.

Preview, guard and apply walk these same values, so they cannot differ. Nothing here touches the CRM or
the ledger.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

from connectors.crm import TaskDraft
from sync.cells import Cell
from sync.planned_rows import PlannedFill, PlannedRow, by_object


class Cause(StrEnum):
    """What makes a record worth a write; only news counts as changed for the guard."""

    NEWS = "news"
    FIRST_FILL = "first_fill"  # cells that we have never written
    REFRESH = "refresh"  # what stands in the CRM is old


class SkipReason(StrEnum):
    """Why an account gets no scores or no task, or a cell is left alone."""

    NO_CHANGE = "no_change"
    NOISE = "noise"  # it differs, by less than the noise gate lets through
    PERSON_EDIT = "person_edit"  # holds what a person wrote
    LOCKED = "locked"  # an earlier write is unfinished, or took its worker down
    NO_CRM_RECORD = "no_crm_record"
    GONE = "gone"
    MERGED = "merged"
    OPT_OUT = "opt_out"
    UNSAFE_VALUE = "unsafe_value"
    OPEN_DEAL = "open_deal"
    RED_HEALTH = "red_health"
    ESCALATED_TICKET = "escalated_ticket"
    NOT_BEFORE = "not_before"
    STATUS = "status"  # a person says: in talks, not now, done
    TIMING = "timing"
    TIER = "tier"
    NO_OWNER = "no_owner"
    TASK_EXISTS = "task_exists"
    TASK_OPEN = "task_open"  # of an earlier quarter, or of another play
    COOL_OFF = "cool_off"
    PLAY_ENDED = "play_ended"  # of a task: its play no longer fits
    CAPACITY = "capacity"


OF_BRIEF: Final = ("style", "writer", "language", "evidence_hash")
"""What is kept of how a task's brief was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedChange:
    """New values for one record. `key` names the write and is fixed here, before any attempt.

    `news` holds our keys of the cells that make it worth a write, none of a mere refresh."""

    key: str
    object: str
    record_id: str
    account_id: str
    cells: tuple[Cell, ...]
    why: str
    cause: Cause = Cause.NEWS
    news: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedTask:
    """A task to make, for one account, play and cycle."""

    draft: TaskDraft
    account_id: str
    play: str
    product: str | None
    cycle: str
    why: str
    value: float | None = None  # expected ARR a year, in the company's currency
    turn: int = 0  # which of its owner's tasks in this plan it is, from 1
    slots: int | None = None  # that its owner has in a week; None in plans of older versions
    style: str = ""  # of the brief
    writer: str = "template"
    language: str = "en"
    evidence_hash: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedClosing:
    """A task of ours to close that nobody has touched, since what it was made for is gone.

    `key` names the operation; `reason` is a SkipReason's value, `note` what its owner reads in it."""

    key: str
    task_key: str
    task_id: str
    account_id: str
    account_crm_id: str
    owner_id: str | None
    play: str
    subject: str
    reason: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip:
    """An account that the plan leaves out (`subject` is score or task), or a cell of it that it leaves alone
    (cell)."""

    account_id: str
    record_id: str | None
    subject: str
    reason: SkipReason
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A guard rule that the plan breaks; `override` is its name for `--override` and for approvals."""

    rule: str
    figure: float
    limit: float
    message: str
    override: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanTerms:
    """What a frozen plan is bound to: what one needs, beside its operations, to apply it or take it back."""

    id: str
    run_id: str
    org_id: str
    expires_at: datetime
    fields: Mapping[str, Mapping[str, Any]]
    findings: tuple[Finding, ...]
    created_by: str = ""

    @property
    def written_names(self) -> frozenset[str]:
        """The vendor's names of the fields that the plan may write."""
        return names_of_written(self.fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One frozen plan, bound to an org, a mapping and the definitions of the fields it writes."""

    id: str
    run_id: str
    org_id: str
    object: str
    created_at: datetime
    expires_at: datetime
    as_of: date
    model_version: str
    mapping_hash: str
    schema_hash: str
    fields: Mapping[str, Mapping[str, Any]]
    scored: int
    changes: tuple[PlannedChange, ...]
    tasks: tuple[PlannedTask, ...]
    skips: tuple[Skip, ...]
    findings: tuple[Finding, ...]
    api_calls: int
    status: str = "planned"
    created_by: str = ""  # an operator's name, or os:<login> without one
    model_hash: str = ""
    score_run_id: str | None = None
    inputs: Mapping[str, Any] | None = None
    summary: Mapping[str, Any] | None = None
    closings: tuple[PlannedClosing, ...] = ()
    rows: tuple[PlannedRow, ...] = ()
    fills: tuple[PlannedFill, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether applying it would write nothing."""
        return not any((self.changes, self.tasks, self.closings, self.rows, self.fills))

    @property
    def cells(self) -> int:
        """Cells that it changes."""
        return sum(len(change.cells) for change in self.changes)

    def cells_by_field(self) -> dict[str, int]:
        """Changed cells by our field key, most first."""
        counts = Counter(cell.key for change in self.changes for cell in change.cells)
        return dict(counts.most_common())

    def skips_by_reason(self, subject: str) -> dict[str, int]:
        """Accounts left out of `score` or `task`, or cells left alone (`cell`), by reason, most first."""
        counts = Counter(skip.reason.value for skip in self.skips if skip.subject == subject)
        return dict(counts.most_common())

    def tasks_by_play(self) -> dict[str, int]:
        """Tasks to make, by play, most first."""
        return dict(Counter(task.play for task in self.tasks).most_common())

    def closings_by_reason(self) -> dict[str, int]:
        """Tasks to close, by reason, most first."""
        return dict(Counter(closing.reason for closing in self.closings).most_common())

    def largest_moves(self, count: int = 10) -> tuple[tuple[str, float, float], ...]:
        """(account_id, score before, score after) where the score moves most; a first score is no move."""
        moves = [
            (change.account_id, float(cell.before), float(cell.after))
            for change in self.changes
            for cell in change.cells
            if cell.key == "score"
            and isinstance(cell.before, int | float)
            and isinstance(cell.after, int | float)
        ]
        return tuple(sorted(moves, key=lambda move: (-abs(move[2] - move[1]), move[0]))[:count])

    def rows_by_object(self) -> dict[str, int]:
        """Rows to add to objects of our own, by object, most first."""
        return by_object(self.rows)

    def changes_by_cause(self) -> dict[str, int]:
        """Records to write, by what makes them worth it."""
        return dict(Counter(change.cause.value for change in self.changes).most_common())


def names_of_written(fields: Mapping[str, Mapping[str, Any]]) -> frozenset[str]:
    """The vendor's names of what a plan may write; of a field only read, it holds the name alone."""
    return frozenset(str(definition["name"]) for definition in fields.values() if "type" in definition)
