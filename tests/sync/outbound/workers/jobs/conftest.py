"""Jobs of a CRM in memory, over a wire that pauses at each of their steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from connectors.crm import Change, RowOutcome, RowResult
from connectors.errors import AmbiguousError, QuotaError
from connectors.write_jobs import JobLook, JobState, OpenedJob


@dataclass
class Job:
    """A job in the CRM's memory; `looks` is how often it is found at work before it has ended."""

    changes: Sequence[Change]
    state: JobState = JobState.OPEN
    looks: int = 1
    results: list[RowResult] = field(default_factory=list)


@dataclass
class Jobs:
    """Jobs over a wire. A fault of `job_faults` befalls closing: the reply is lost before or after, the call
    is refused; or the job: it is halted after a few rows, it is forgotten, its results can't be read."""

    wire: Any

    def open(self, changes: Sequence[Change]) -> OpenedJob:
        self.wire.pause("open")
        job_id = f"job-{len(self.wire.yard) + 1}"
        self.wire.yard[job_id] = Job(changes=list(changes))
        self.wire.pause("opened")
        return OpenedJob(id=job_id)

    def close(self, job_id: str) -> None:
        self.wire.pause("close")
        job = self.wire.yard[job_id]
        assert job.state is JobState.OPEN
        self.wire.requests.update(change.key for change in job.changes)
        fault, _, number = (self.wire.job_faults.pop(0) if self.wire.job_faults else "none").partition(" ")
        if fault == "lost_before":
            raise AmbiguousError("the connection was reset")
        if fault == "quota":
            raise QuotaError("no calls are left today", retry_after=float(number))
        most = int(number) if fault == "halt" else len(job.changes)
        # their order is the CRM's own
        job.results = [self.wire._write(change) for change in job.changes[:most]][::-1]
        late = [RowResult(key=each.key, outcome=RowOutcome.FAILED) for each in job.changes[most:]]
        job.results += late
        job.state = {"gone": JobState.GONE}.get(fault, JobState.RUNNING)
        if fault == "unreadable":
            job.results = [None]  # type: ignore[list-item]  # what our own code stumbles over
        self.wire.pause("closed")
        if fault == "interrupt":
            raise KeyboardInterrupt
        if fault == "lost_after":
            raise AmbiguousError("the connection was reset")

    def look(self, job_id: str, keys: Mapping[str, str]) -> JobLook:
        self.wire.pause("look")
        job = self.wire.yard[job_id]
        if job.state is JobState.RUNNING and job.looks == 0:
            job.state = JobState.ENDED
        job.looks -= job.state is JobState.RUNNING
        wanted = set(keys.values())
        told = job.results if job.state is JobState.ENDED else []
        return JobLook(state=job.state, results=tuple(each for each in told if each.key in wanted))

    def abort(self, job_id: str) -> None:
        self.wire.pause("abort")
        job = self.wire.yard[job_id]
        assert job.state in (JobState.OPEN, JobState.RUNNING)
        untold = {each.key for each in job.changes} - {each.key for each in job.results}
        job.results += [RowResult(key=key, outcome=RowOutcome.FAILED) for key in untold]
        job.state = JobState.ENDED


@pytest.fixture
def database() -> str:
    """Of the ledger: one test asks for the other."""
    return "sqlite"


@pytest.fixture
def make_yard(
    world: Any, ledger_url: str, score: Callable[..., Any], make_crew: Callable[..., Any]
) -> Callable[..., AbstractContextManager[Any]]:
    """Make a plan of so many records without tasks, for a CRM that takes `batch` of them in a call.

    From six records that wait on, a job of up to thirty is cheaper than calls of four."""

    @contextmanager
    def made(records: int, batch: int = 4) -> Iterator[Any]:
        world.crm.records = {f"001{n}": {} for n in range(records)}
        able = world.crm.capabilities
        world.crm.capabilities = replace(able, write_batch=batch, job_batch=30, job_calls=2)
        with make_crew(world, ledger_url, *(score(n, tier="low") for n in range(records))) as crew:
            crew.wire.job_door = Jobs
            yield crew

    return made


@pytest.fixture
def yard(make_yard: Callable[..., Any]) -> Iterator[Any]:
    """A plan of forty records."""
    with make_yard(40) as made:
        yield made
