"""The eight promises of the write-back, held against the evidence; each finding names the record and why.

 I1  every operation of an approved plan has one final outcome, and it is the truth
 I2  at most one effective write for an operation, at most one task for a task key
 I3  nothing outside an approved plan and its allow-list
 I4  the value that was overwritten is the value that was planned on
 I5  ledger and CRM agree
 I6  a rollback is exact, and keeps what people changed
 I7  no operation is borne by more than six requests
 I8  the journal verifies

An effective write changes a value; to send a value that is there already does no harm and counts in I7 only.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from infra.chaos.evidence import ChangeSeen, Evidence, OperationSeen, Place

FINAL: Final = frozenset(
    {"applied", "unchanged", "conflict", "gone", "merged", "refused", "failed", "quarantined"}
)
MOST_REQUESTS: Final = 6
OUR_TASK_CELLS: Final = frozenset(
    {"Status", "Description", "IsClosed", "CompletedDateTime", "LastModifiedById"}
    | {"hs_task_status", "hs_task_body", "hs_task_completion_date", "hs_task_is_completed"}
)
"""What closing a task with a note changes, and what the vendors derive from it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One broken promise."""

    rule: str
    record: str
    why: str

    def __str__(self) -> str:
        return f"{self.rule} {self.record}: {self.why}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """What one request of ours changed of one record."""

    request: int | None
    record_id: str
    cells: Mapping[str, tuple[str, str]]  # field -> before, after


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """The evidence in the order in which it is asked: hits and task creations by operation."""

    evidence: Evidence
    hits: Mapping[str, Sequence[Hit]]  # operation key -> effective writes
    strays: Sequence[Hit]  # that belong to no operation
    made: Mapping[str, Sequence[str]]  # task key -> ids of the tasks that we made
    born: Mapping[str, int | None]  # id of a task that we made -> the request that made it
    timeline: Mapping[Place, Sequence[ChangeSeen]]
    of_record: Mapping[str, Sequence[ChangeSeen]]
    doers: Mapping[tuple[str, str], frozenset[str]]  # kind and task key -> operations that say "applied"


def check(evidence: Evidence, *, rolled_back: frozenset[str] = frozenset()) -> list[Violation]:
    """Every violation; of `rolled_back` plans also whether they were taken back exactly."""
    story = tell(evidence)
    return [
        *outcomes_are_final_and_true(story),
        *nothing_happened_twice(story),
        *nothing_outside_the_plans(story),
        *overwritten_as_planned(story),
        *ledger_and_crm_agree(story),
        *rollback_is_exact(story, rolled_back),
        *few_requests(story),
        *(Violation(rule="I8", record="journal", why=fault) for fault in evidence.journal_faults),
    ]


def tell(evidence: Evidence) -> Story:
    """Which operation each effective write belongs to."""
    by_record: dict[str, list[OperationSeen]] = defaultdict(list)
    for operation in evidence.operations:
        if operation.cells:
            by_record[operation.record_id].append(operation)
    hits: dict[str, list[Hit]] = defaultdict(list)
    strays = []
    for hit in _hits(evidence):
        fitting = [op for op in by_record[hit.record_id] if _fits(op, hit)]
        # of several that want the same, the one that has not had it yet, and says that it has
        chosen = min(fitting, key=lambda op: (len(hits[op.key]), op.outcome != "applied"), default=None)
        if chosen is None:
            strays.append(hit)
        else:
            hits[chosen.key].append(hit)
    made: dict[str, list[str]] = defaultdict(list)
    born: dict[str, int | None] = {}
    timeline: dict[Place, list[ChangeSeen]] = defaultdict(list)
    of_record: dict[str, list[ChangeSeen]] = defaultdict(list)
    for change in evidence.changes:
        object_name, record_id, name = change.place
        timeline[change.place].append(change)
        of_record[record_id].append(change)
        if change.ours and (object_name, name) == (evidence.task_object, evidence.key_field):
            made[json.loads(change.after)].append(record_id)
            born[record_id] = change.request
    doers: dict[tuple[str, str], frozenset[str]] = defaultdict(frozenset)
    for op in evidence.operations:
        if op.outcome == "applied" and op.task_key is not None:
            doers[op.kind, op.task_key] |= {op.key}
    return Story(
        evidence=evidence,
        hits=hits,
        strays=strays,
        made=made,
        born=born,
        timeline=timeline,
        of_record=of_record,
        doers=doers,
    )


def outcomes_are_final_and_true(story: Story) -> Iterator[Violation]:
    """I1: done, with an outcome that the CRM's own record bears out."""
    for op in story.evidence.operations:
        if op.plan_id not in story.evidence.approved:
            continue
        happened = _happened(story, op)
        if (
            op.state == "planned"
            and not happened
            and story.evidence.plans[op.plan_id].status == "rolled_back"
        ):
            continue  # taken back before it was sent
        if op.state != "done" or op.outcome not in FINAL:
            yield Violation(rule="I1", record=op.key, why=f"is {op.state} with outcome {op.outcome}")
            continue
        if op.outcome == "applied" and not happened:
            yield Violation(rule="I1", record=op.key, why="applied, but the CRM never saw an effective write")
        elif op.outcome != "applied" and happened:
            yield Violation(rule="I1", record=op.key, why=f"{op.outcome}, but the CRM was written to")
        elif op.outcome == "conflict" and not _people_were_there(story, op):
            yield Violation(rule="I1", record=op.key, why="a conflict that nobody caused")
        for hit in story.hits.get(op.key, ()) if op.outcome == "applied" else ():
            missing = [name for name, before, after in op.cells if before != after and name not in hit.cells]
            if missing:
                yield Violation(rule="I1", record=op.key, why=f"written without {', '.join(missing)}")


def nothing_happened_twice(story: Story) -> Iterator[Violation]:
    """I2: one effective write for a key, one task for a task key."""
    for key, hits in story.hits.items():
        if len(hits) > 1:
            requests = ", ".join(str(hit.request) for hit in hits)
            yield Violation(rule="I2", record=key, why=f"written {len(hits)} times, by requests {requests}")
    for key, ids in story.made.items():
        if len(ids) > 1:
            yield Violation(rule="I2", record=key, why=f"{len(ids)} tasks: {', '.join(ids)}")
    for (kind, key), doers in story.doers.items():
        if len(doers) > 1:
            yield Violation(
                rule="I1", record=key, why=f"{len(doers)} operations say that they did this {kind}"
            )


def nothing_outside_the_plans(story: Story) -> Iterator[Violation]:
    """I3: each change of ours was asked for by an approved plan, in a field that it may write."""
    evidence = story.evidence
    plan_of = {op.key: op.plan_id for op in evidence.operations}
    for hit in story.strays:
        cells = ", ".join(f"{name}: {before} -> {after}" for name, (before, after) in hit.cells.items())
        why = f"request {hit.request} wrote what no operation asks for: {cells}"
        yield Violation(rule="I3", record=hit.record_id, why=why)
    for key in story.hits:
        if plan_of[key] not in evidence.approved:
            yield Violation(rule="I3", record=key, why=f"{plan_of[key]} was not approved")
    allowed = _allowed(evidence)
    for change in evidence.changes:
        object_name, record_id, name = change.place
        told = object_name == evidence.task_object or name == "LastModifiedById"
        if change.ours and not told and (object_name, name) not in allowed:
            why = f"{object_name}.{name} is outside the allow-list of every plan"
            yield Violation(rule="I3", record=record_id, why=why)
    yield from _tasks_as_planned(story)


def _tasks_as_planned(story: Story) -> Iterator[Violation]:
    evidence = story.evidence
    approved = [op for op in evidence.operations if op.plan_id in evidence.approved]
    keys = {op.task_key for op in approved if op.kind == "task"}
    closing = {op.task_id for op in approved if op.kind in ("retire", "close")}
    for key in story.made.keys() - keys:
        for record_id in story.made[key]:
            yield Violation(rule="I3", record=record_id, why="a task that no approved plan asks for")
    for change in evidence.changes:
        object_name, record_id, name = change.place
        if not change.ours or object_name != evidence.task_object:
            continue
        if record_id in story.born and change.request == story.born[record_id]:
            continue
        if record_id not in closing:
            yield Violation(rule="I3", record=record_id, why=f"{name} changed, and no operation closes it")
        elif name not in OUR_TASK_CELLS:
            yield Violation(rule="I3", record=record_id, why=f"closing it changed {name}")


def overwritten_as_planned(story: Story) -> Iterator[Violation]:
    """I4: compare-and-set, by what the CRM says it replaced."""
    for op in story.evidence.operations:
        planned = {name: before for name, before, _ in op.cells}
        for hit in story.hits.get(op.key, ()):
            for name, (before, _) in hit.cells.items():
                if before != planned[name]:
                    why = f"request {hit.request} overwrote {name} {before}, planned on {planned[name]}"
                    yield Violation(rule="I4", record=op.key, why=why)


def ledger_and_crm_agree(story: Story) -> Iterator[Violation]:
    """I5: the journal tells our changes one for one, the last one is what the CRM holds, and tasks match."""
    evidence = story.evidence
    journal: dict[Place, list[tuple[str, str]]] = defaultdict(list)
    for entry in evidence.journal:
        if entry.before != entry.after:
            journal[entry.place].append((entry.before, entry.after))
    ours: dict[Place, list[tuple[str, str]]] = defaultdict(list)
    allowed = _allowed(evidence)
    for change in evidence.changes:
        if change.ours and (change.place[0], change.place[2]) in allowed:
            ours[change.place].append((change.before, change.after))
    for place in journal.keys() | ours.keys():
        if journal[place] != ours[place]:
            why = f"{place[2]}: the journal tells {journal[place]}, the CRM saw {ours[place]}"
            yield Violation(rule="I5", record=place[1], why=why)
        changes = story.timeline.get(place, ())
        if changes and place in evidence.held and evidence.held[place] != changes[-1].after:
            why = f"{place[2]} holds {evidence.held[place]}, last written {changes[-1].after}"
            yield Violation(rule="I5", record=place[1], why=why)
    yield from _tasks_agree(story)


def rollback_is_exact(story: Story, rolled_back: frozenset[str]) -> Iterator[Violation]:
    """I6: what people changed stays, everything else is what it was before the plan."""
    evidence = story.evidence
    for op in evidence.operations:
        if op.plan_id not in rolled_back or op.kind != "write":
            continue
        for hit in story.hits.get(op.key, ()):
            for name, (first, after) in hit.cells.items():
                place = (evidence.plans[op.plan_id].object, op.record_id, name)
                people = _people_after(story, place, hit)
                wanted = {first} if not people else {people[-1].after}
                if people and people[-1].after == after:
                    wanted.add(first)  # a person's yes to our value is nothing that a rollback could tell
                held = evidence.held.get(place)
                if held is not None and held not in wanted:
                    why = f"{name} holds {held} after the rollback, not {' or '.join(sorted(wanted))}"
                    yield Violation(rule="I6", record=op.record_id, why=why)
    yield from _tasks_taken_back(story, rolled_back)


def _tasks_taken_back(story: Story, rolled_back: frozenset[str]) -> Iterator[Violation]:
    evidence = story.evidence
    keys = {op.task_key for op in evidence.operations if op.kind == "task" and op.plan_id in rolled_back}
    for task in evidence.crm_tasks:
        if task.key not in keys or task.id not in story.born:
            continue
        later = _since_born(story, task.id)
        people = next((i for i, change in enumerate(later) if not change.ours), None)
        if people is None and not task.closed:
            yield Violation(rule="I6", record=task.id, why="a task that nobody touched was left open")
        if people is not None and any(change.ours for change in later[people:]):
            yield Violation(rule="I6", record=task.id, why="a task that someone worked on was changed")


def few_requests(story: Story) -> Iterator[Violation]:
    """I7: by the ledger's own count, and by how often the CRM was sent the same row."""
    for op in story.evidence.operations:
        if op.requests > MOST_REQUESTS:
            yield Violation(rule="I7", record=op.key, why=f"{op.requests} requests, by the ledger")
    refused = {request.number for request in story.evidence.requests if request.status == 401}
    sent = Counter((row.id, row.digest) for row in story.evidence.rows if row.request not in refused)
    for (record_id, digest), count in sent.items():
        if count > MOST_REQUESTS:
            yield Violation(rule="I7", record=record_id or f"new row {digest}", why=f"sent {count} times")


def _hits(evidence: Evidence) -> Iterator[Hit]:
    """Our changes of records that plans are about, a request and record at a time, in their order."""
    allowed = _allowed(evidence)
    grouped: dict[tuple[int | None, str], dict[str, tuple[str, str]]] = {}
    for change in evidence.changes:
        object_name, record_id, name = change.place
        if change.ours and (object_name, name) in allowed:
            cells = grouped.setdefault((change.request, record_id), {})
            cells[name] = (change.before, change.after)
    for (request, record_id), cells in grouped.items():
        yield Hit(request=request, record_id=record_id, cells=cells)


def _fits(op: OperationSeen, hit: Hit) -> bool:
    wanted = {name: after for name, _, after in op.cells}
    return all(wanted.get(name) == after for name, (_, after) in hit.cells.items())


def _happened(story: Story, op: OperationSeen) -> bool:
    """Whether the CRM saw an effect of the operation, and not of another one that wants the same task."""
    if op.cells:
        return bool(story.hits.get(op.key))
    if op.kind == "task":
        seen, same = bool(story.made.get(op.task_key or "")), op.task_key
    else:
        seen, same = _closed_by_us(story, op.task_id or ""), op.task_key
    doers = story.doers.get((op.kind, same or ""), frozenset())
    return seen and (not doers or op.key in doers)


def _people_were_there(story: Story, op: OperationSeen) -> bool:
    """Whether anybody but us changed the record, or the task that is to be closed."""
    records = [each for each in (op.record_id, op.task_id) if each is not None]
    return any(not change.ours for each in records for change in _since_born(story, each))


def _people_after(story: Story, place: Place, hit: Hit) -> list[ChangeSeen]:
    changes = story.timeline.get(place, ())
    start = next((i for i, c in enumerate(changes) if c.ours and c.request == hit.request), len(changes))
    return [change for change in changes[start + 1 :] if not change.ours]


def _since_born(story: Story, record_id: str) -> list[ChangeSeen]:
    """What happened to a task after we made it."""
    changes = story.of_record.get(record_id, ())
    if record_id not in story.born:
        return list(changes)
    return [change for change in changes if change.request != story.born[record_id]]


def _closed_by_us(story: Story, record_id: str) -> bool:
    return any(change.ours for change in _since_born(story, record_id))


def _allowed(evidence: Evidence) -> frozenset[tuple[str, str]]:
    """Object and field of every cell that some plan may write."""
    return frozenset((plan.object, name) for plan in evidence.plans.values() for name in plan.fields)


def _tasks_agree(story: Story) -> Iterator[Violation]:
    ledger = {task.key: task for task in story.evidence.tasks}
    crm = {task.key: task for task in story.evidence.crm_tasks}
    for key in ledger.keys() - crm.keys():
        if ledger[key].id in {record_id for ids in story.made.values() for record_id in ids}:
            continue  # it was there, and a person deleted it
        yield Violation(rule="I5", record=key, why="the ledger has a task that the CRM never had")
    for key in crm.keys() - ledger.keys():
        if crm[key].id in story.made.get(key, ()):
            yield Violation(rule="I5", record=key, why="the CRM has a task of ours that the ledger lacks")
    for key in crm.keys() & ledger.keys():
        if crm[key].id != ledger[key].id and crm[key].id in story.made.get(key, ()):
            why = f"the ledger knows task {ledger[key].id}, the CRM {crm[key].id}"
            yield Violation(rule="I5", record=key, why=why)
        if ledger[key].closed and not crm[key].closed:
            yield Violation(rule="I5", record=key, why="closed in the ledger, open in the CRM")
        ours = _closed_by_us(story, crm[key].id)
        if ours and not ledger[key].closed:
            yield Violation(rule="I5", record=key, why="closed by us in the CRM, open in the ledger")
