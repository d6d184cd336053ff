"""Writes of many records as a job of the CRM's own, which works on them while nobody waits.

    open ──► close ──► look … look ──► results
      │        └─ from here on it may write; before, it does nothing, ever
      └─ aborted, or forgotten

A job outlives the process that opened it: whoever knows its id can look at it, and learn what became of each
record. Jobs know no condition, so the records are compared before, and read back after.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from connectors.crm import Change, RowResult


class JobState(StrEnum):
    """How a job stands."""

    OPEN = "open"  # never closed: it did nothing
    RUNNING = "running"
    ENDED = "ended"  # done, failed or aborted: each record has its result, or was not processed
    GONE = "gone"  # the CRM no longer knows it


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedJob:
    """A job whose data are with the CRM; `id` is None when no record may leave.

    `left_out` are the results of those that it does not bear."""

    id: str | None
    left_out: tuple[RowResult, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class JobLook:
    """What a look at a job showed; `results` once it has ended, of the records whose outcome is known."""

    state: JobState
    results: tuple[RowResult, ...] = ()


class WriteJobs(Protocol):
    """The jobs by which a CRM can be written to."""

    def open(self, changes: Sequence[Change]) -> OpenedJob:
        """A job that bears the changes, of one object, and does nothing yet.

        Raises TransientError, QuotaError, TerminalError or SetupError: nothing happens then."""
        ...

    def close(self, job_id: str) -> None:
        """Set the job to work; one call. Raises AmbiguousError when the reply was lost: look at the job."""
        ...

    def look(self, job_id: str, keys: Mapping[str, str]) -> JobLook:
        """How the job stands; `keys` are the operations' keys by record id, whose results are wanted."""
        ...

    def abort(self, job_id: str) -> None:
        """Stop the job; what it did stays."""
        ...
