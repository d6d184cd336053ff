"""The way to a CRM in memory, on which everything can go wrong that a test asks for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from connectors.crm import Change, Record, RowOutcome, RowResult, TaskDraft, TaskState
from connectors.errors import AmbiguousError, QuotaError, TerminalError, TransientError


class Killed(BaseException):
    """The worker's process is gone: nothing of it runs any more."""


@dataclass
class Wire:
    """The way to a CRM in memory: it loses replies, is late, away or dear, and counts what it was sent.

    `faults` strike the calls that write cells, one each, in order, and `task_faults` those for tasks; `pause`
    is called before and after each."""

    inner: Any
    machine: Any
    faults: list[str] = field(default_factory=list)
    task_faults: list[str] = field(default_factory=list)
    poison: set[str] = field(default_factory=set)  # record ids that kill the worker that sends them
    indigestible: set[str] = field(default_factory=set)  # for which the whole call is refused
    requests: Counter[str] = field(default_factory=Counter)  # calls that bore each key
    effects: list[tuple[str, dict[str, Any], dict[str, Any]]] = field(default_factory=list)
    modified: dict[str, datetime] = field(default_factory=dict)
    late: list[tuple[datetime, Callable[[], Any]]] = field(default_factory=list)
    unindexed: set[str] = field(default_factory=set)  # tasks that a search does not find yet
    part: int = 20  # records of a part of a call that writes cells
    part_faults: list[str] = field(default_factory=list)  # of the parts to come: each fares on its own
    yard: dict[str, Any] = field(default_factory=dict)  # jobs by id
    job_faults: list[str] = field(default_factory=list)  # of the jobs that are closed, one each
    job_door: Callable[[Any], Any] | None = None  # makes the CRM's jobs over a wire, where it has any
    pause: Callable[[str], None] = lambda _: None

    @property
    def jobs(self) -> Any:
        """The CRM's jobs, over this wire."""
        return None if self.job_door is None else self.job_door(self)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def read(self, object_name: str, ids: Sequence[str], fields: Sequence[str]) -> Mapping[str, Record]:
        self.pause("read")
        self.land()
        found = self.inner.read(object_name, ids, fields)
        return {key: replace(held, modified_at=self.modified.get(key)) for key, held in found.items()}

    def find_tasks(
        self, keys: Iterable[str], *, sent_to: Mapping[str, str] | None = None
    ) -> Mapping[str, TaskState]:
        """Its index lags: a task that was just made is found only by whoever says where to look."""
        self.pause("find")
        self.land()
        found: Mapping[str, TaskState] = self.inner.find_tasks(keys)
        lost = {key for key in found if key in self.unindexed and key not in (sent_to or {})}
        return {key: state for key, state in found.items() if key not in lost}

    def write(self, changes: Sequence[Change]) -> list[RowResult]:
        ids = {change.id for change in changes}
        keys = [change.key for change in changes]
        return self._call(keys, lambda: self._write_parts(changes), ids)

    def create_tasks(self, drafts: Sequence[TaskDraft]) -> list[RowResult]:
        self.unindexed.update(draft.key for draft in drafts)
        return self._call([draft.key for draft in drafts], lambda: self.inner.create_tasks(drafts))

    def close_tasks(self, tasks: Mapping[str, str]) -> list[RowResult]:
        return self._call(list(tasks), lambda: self.inner.close_tasks(tasks))

    def person(self, record_id: str, **values: Any) -> None:
        """A person edits a record, now."""
        self.land()
        self.inner.person(record_id, **values)
        self.modified[record_id] = self.machine.tick()

    def land(self) -> None:
        """Let what is under way arrive, if its time has come."""
        due = [each for each in self.late if each[0] <= self.machine.true]
        self.late[:] = [each for each in self.late if each[0] > self.machine.true]
        for _, write in due:
            write()

    def _call(
        self, keys: Sequence[str], write: Callable[[], list[RowResult]], ids: Set[str] = frozenset()
    ) -> list[RowResult]:
        self.pause("write")
        self.land()
        self.requests.update(keys)
        if ids & self.poison:
            raise Killed
        faults = self.faults if ids else self.task_faults
        fault, _, seconds = (faults.pop(0) if faults else "none").partition(" ")
        match fault:
            case "away":
                raise TransientError("the server is not available", status=503)
            case "wait":
                raise TransientError("slow down", status=429, retry_after=float(seconds))
            case "quota":
                raise QuotaError("no calls are left today", retry_after=float(seconds))
            case "lost_before":
                raise AmbiguousError("the connection was reset")
            case "late":
                self.late.append((self.machine.true + timedelta(seconds=float(seconds)), write))
                raise AmbiguousError("no reply in time")
            case "page":
                raise TerminalError("what answers there is no API", status=200)
        if ids & self.indigestible:
            raise TerminalError("this is not JSON", status=400, vendor_code="JSON_PARSER_ERROR")
        results = write()
        self.pause("written")
        if fault == "lost_after":
            raise AmbiguousError("the connection was reset")
        return results

    def _write_parts(self, changes: Sequence[Change]) -> list[RowResult]:
        """Results of the parts that answered, each of which may be refused or lost by itself."""
        results = []
        for start in range(0, len(changes), self.part):
            part = changes[start : start + self.part]
            fault = self.part_faults.pop(0) if self.part_faults else "none"
            if fault == "refused":
                result = RowResult(
                    key="", outcome=RowOutcome.REFUSED, vendor_code="BAD_PART", refused_with=len(part) - 1
                )
                results += [replace(result, key=change.key) for change in part]
            elif fault != "lost_before":
                told = [self._write(change) for change in part]
                results += told if fault == "none" else []
        return results

    def _write(self, change: Change) -> RowResult:
        moved = self.modified.get(change.id)
        conditional = change.object in self.capabilities.conditional_write
        if conditional and moved is not None and moved != change.unmodified_since:
            return RowResult(key=change.key, outcome=RowOutcome.CONFLICT, message="412: it moved")
        held = self.inner.records.get(change.id, {})
        before = {name: held.get(name) for name in change.values}
        (result,) = self.inner.write([change])
        if result.outcome is RowOutcome.APPLIED and before != dict(change.values):
            self.effects.append((change.key, before, dict(change.values)))
            self.modified[change.id] = self.machine.tick()
        taken: RowResult = result
        return taken
