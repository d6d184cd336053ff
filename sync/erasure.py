"""Erases what the ledger keeps of one person or record, or all that is old enough; the chain stays whole.

Of a journal entry the content and its salt go; facts, digest and commitment stay, and a link of kind
`erasure` names the entries and operations, and the reason, never the person. An operation that was not sent
is not sent any more, and its plan can't be applied: what was approved is no longer there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import zip_longest
from typing import Any, Final

from sqlalchemy import Text, cast, or_, select, update
from sqlalchemy.orm import Session

from connectors.crm import RowOutcome
from connectors.errors import StateError, UsageError
from sync import chain
from sync.entry_digest import commitment, emptied
from sync.erased import MARK, PLACEHOLDER, Speaks, emptied_payload, speaks_in
from sync.mentions import Sought
from sync.number_ranges import ranges
from sync.operations import DONE, SENDING
from sync.store import Store
from sync.store.tables import ScoreRow
from sync.store.writeback import DOOR, JournalRow, OperationRow, PlanRow, SkipRow, TaskRow

AT_ONCE: Final = 2_000
"""Entries, and operations, that one transaction takes: the writers of an apply wait for it."""
UNAPPLIED: Final = ("planned", "applying", "paused", "stopped")
CHANGED: Final = ("key", "payload", "message", "fix", "state", "outcome", "fence")
RESUMABLE: Final = timedelta(days=7)
RETENTION: Final = "retention"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What is to be erased, or was: keys by table, and the plans that can't be applied any more.

    With `has_traces` the ledger's file may still hold the bytes, because somebody had it open."""

    entries: tuple[int, ...] = ()
    operations: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    skips: tuple[tuple[str, int], ...] = ()
    people: tuple[tuple[str, str], ...] = ()  # scores that say whom to reach: run and account
    plans: tuple[str, ...] = ()
    has_traces: bool = False

    def __bool__(self) -> bool:
        return bool(self.entries or self.operations or self.tasks or self.skips or self.people)

    def __add__(self, other: Found) -> Found:
        """Both findings as one."""
        return Found(
            entries=self.entries + other.entries,
            operations=self.operations + other.operations,
            tasks=self.tasks + other.tasks,
            skips=self.skips + other.skips,
            people=self.people + other.people,
            plans=tuple(dict.fromkeys(self.plans + other.plans)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Search:
    """What goes: what speaks of someone, or everything from before a time."""

    sought: Sought = field(default_factory=Sought)
    before: datetime | None = None

    def speaks(self, *ids: str | None) -> Speaks | None:
        """How to tell which texts of a row with these record and account ids go; None: all of them."""
        if self.before is not None or self.sought.is_record(*ids):
            return None
        return lambda text: text != PLACEHOLDER and self.sought.is_in(text, *ids)


def find(store: Store, sought: Sought) -> Found:
    """What the ledger keeps of a person or record."""
    return _find(store, _Search(sought=sought))


def find_old(store: Store, before: datetime) -> Found:
    """What of the journal, of the operations behind it and of their tasks is from before a time."""
    return _find(store, _Search(before=before))


def erase(store: Store, sought: Sought, *, reason: str, at: datetime) -> Found:
    """Erase what the ledger keeps of a person or record, and say what that was.

    `reason` stays in the chain for good. Raises UsageError when it names the person, StateError while
    something of it is being sent to the CRM."""
    if sought.is_in(reason, *sought.on_records):
        raise UsageError(
            "the reason names the person, and it is kept for good.",
            record="--reason",
            fix="Say why without saying who, such as the number of the request.",
        )
    return _erase(store, _Search(sought=sought), reason=reason, at=at)


def erase_old(store: Store, before: datetime, *, at: datetime) -> Found:
    """Erase what is from before a time, and say what that was; raises what `erase` raises."""
    return _erase(store, _Search(before=before), reason=RETENTION, at=at)


def names_record(store: Store, text: str) -> bool:
    """Whether the ledger holds operations for a record or account with exactly this id."""
    is_it = (OperationRow.record_id == text) | (OperationRow.account_id == text)
    with store.session() as session:
        return session.scalars(select(OperationRow.key).where(is_it).limit(1)).first() is not None


def _find(store: Store, search: _Search) -> Found:
    with store.session() as session:
        operations = list(_operations(session, search))
        return Found(
            entries=tuple(_entries(session, search)),
            operations=tuple(key for key, _, _ in operations),
            tasks=tuple(_tasks(session, search)),
            skips=tuple(_skips(session, search)),
            people=tuple(_people(session, search)),
            plans=tuple(dict.fromkeys(plan for _, plan, status in operations if status in UNAPPLIED)),
        )


def _erase(store: Store, search: _Search, *, reason: str, at: datetime) -> Found:
    done = Found()
    # again until nothing is found: an apply may have journalled something meanwhile
    while found := _find(store, search):
        for entries, operations in zip_longest(
            _chunks(found.entries), _chunks(found.operations), fillvalue=()
        ):
            with store.begin() as session:
                end = chain.end(session, at)  # an entry that is not sealed yet has no salt
                gone = _empty_entries(session, entries, at)
                _empty_operations(session, operations, search, at)
                ref = {"entries": ranges(gone), "operations": sorted(operations), "reason": reason}
                end.add(chain.ERASURE, ref)
        with store.begin() as session:
            _empty_texts(session, found)
        done += found
    return replace(done, has_traces=not store.wipe())  # an earlier one may have left some


def _entries(session: Session, search: _Search) -> Iterator[int]:
    columns = (
        JournalRow.id,
        JournalRow.record_id,
        JournalRow.account_id,
        JournalRow.before,
        JournalRow.after,
    )
    query = select(*columns).where(JournalRow.erased_at.is_(None)).order_by(JournalRow.id)
    if search.before is not None:
        query = query.where(JournalRow.at < search.before)
    for row in session.execute(query, execution_options={"yield_per": AT_ONCE}):
        speaks = search.speaks(row.record_id, row.account_id)
        if speaks is None or speaks_in([row.before, row.after], speaks):
            yield row.id


def _operations(session: Session, search: _Search) -> Iterator[tuple[str, str, str]]:
    """(key, plan, the plan's status) of operations with something to erase."""
    names = ("key", "plan_id", "record_id", "account_id", "payload", "message", "fix")
    columns = [getattr(OperationRow, name) for name in names]
    query = select(*columns, PlanRow.status).join(PlanRow, PlanRow.id == OperationRow.plan_id)
    if search.before is not None:
        # what may still be sent, or resumed, needs its content
        is_over = PlanRow.status.not_in(UNAPPLIED) | (PlanRow.expires_at < search.before - RESUMABLE)
        is_old = OperationRow.updated_at < search.before
        query = query.where(is_old, is_over, OperationRow.state != SENDING)
    query = query.order_by(OperationRow.key)
    for row in session.execute(query, execution_options={"yield_per": AT_ONCE}):
        if _emptied(row, search) is not None:
            yield row.key, row.plan_id, row.status


def _emptied(row: Any, search: _Search) -> dict[str, Any] | None:
    """The columns of an operation without what goes; None when nothing does."""
    speaks = search.speaks(row.record_id, row.account_id)
    payload = emptied_payload(row.payload, speaks)
    texts = {name: getattr(row, name) for name in ("message", "fix") if getattr(row, name) is not None}
    # a message of the CRM's goes with the content; what stands there since an earlier erasure stays
    gone = [name for name, text in texts.items() if (payload is not None if speaks is None else speaks(text))]
    if payload is None and not gone:
        return None
    return {"payload": row.payload if payload is None else payload} | dict.fromkeys(gone, PLACEHOLDER)


def _tasks(session: Session, search: _Search) -> Iterator[str]:
    columns = (TaskRow.key, TaskRow.account_id, TaskRow.account_crm_id, TaskRow.subject)
    query = select(*columns).where(TaskRow.subject != PLACEHOLDER).order_by(TaskRow.key)
    if search.before is not None:
        query = query.where(TaskRow.created_at < search.before)
    for row in session.execute(query):
        speaks = search.speaks(row.account_id, row.account_crm_id)
        if speaks is None or speaks(row.subject):
            yield row.key


def _skips(session: Session, search: _Search) -> Iterator[tuple[str, int]]:
    columns = (SkipRow.plan_id, SkipRow.position, SkipRow.account_id, SkipRow.record_id, SkipRow.detail)
    query = select(*columns).where(SkipRow.detail != PLACEHOLDER).order_by(SkipRow.plan_id, SkipRow.position)
    if search.before is not None:
        made = select(PlanRow.id).where(PlanRow.created_at < search.before)
        query = query.where(SkipRow.plan_id.in_(made))
    for row in session.execute(query):
        speaks = search.speaks(row.account_id, row.record_id)
        if speaks is None or speaks(row.detail):
            yield row.plan_id, row.position


def _people(session: Session, search: _Search) -> Iterator[tuple[str, str]]:
    """The scores that tell of somebody, by contact id, among those whom to reach."""
    query = select(ScoreRow.run_id, ScoreRow.account_id).where(ScoreRow.whom.is_not(None))
    if search.before is not None:
        query = query.where(ScoreRow.as_of < search.before.date())
    else:
        told, records = cast(ScoreRow.whom, Text), search.sought.records
        named = [told.contains(f'"{each}"', autoescape=True) for each in sorted(search.sought.ids)]
        query = query.where(or_(ScoreRow.account_id.in_(records), ScoreRow.crm_id.in_(records), *named))
    for row in session.execute(query.order_by(ScoreRow.run_id, ScoreRow.account_id)):
        yield row.run_id, row.account_id


def _empty_entries(session: Session, numbers: Sequence[int], at: datetime) -> list[int]:
    """The entries that were emptied: those that another erasure has not emptied meanwhile."""
    columns = (JournalRow.id, JournalRow.salt, JournalRow.before, JournalRow.after)
    there = (JournalRow.id.in_(numbers), JournalRow.erased_at.is_(None))
    rows = session.execute(select(*columns).where(*there).order_by(JournalRow.id))
    left = [
        {"id": row.id, "before": kept, "after": kept, "salt": None, "erased_at": at}
        for row in rows
        for kept in (emptied(commitment(row.salt, row.before, row.after)),)
    ]
    if left:
        session.execute(update(JournalRow), left, execution_options={DOOR: True})
    return [row["id"] for row in left]


def _empty_operations(session: Session, keys: Sequence[str], search: _Search, at: datetime) -> None:
    left = []
    for row in session.scalars(select(OperationRow).where(OperationRow.key.in_(keys))):
        if row.state == SENDING:
            raise StateError(
                "this is being sent to the CRM right now, or was when a worker died.",
                record=f"operation {row.key}",
                fix=f"let it end: upswell apply {row.plan_id} --resume; then erase again",
            )
        columns = {name: getattr(row, name) for name in CHANGED} | (_emptied(row, search) or {})
        columns["payload"] = columns["payload"] | {MARK: at.isoformat()}
        if row.state != DONE:
            columns |= {
                "state": DONE,
                "outcome": RowOutcome.REFUSED.value,
                "message": "its content was erased before it was sent",
                "fix": "Make a new plan: upswell plan.",
                "fence": row.fence + 1,  # whoever has claimed it can't send it now
            }
        left.append(columns)
    if left:
        session.execute(update(OperationRow), left)


def _empty_texts(session: Session, found: Found) -> None:
    if found.tasks:
        session.execute(update(TaskRow), [{"key": key, "subject": PLACEHOLDER} for key in found.tasks])
    if found.skips:
        rows = [{"plan_id": plan, "position": place, "detail": PLACEHOLDER} for plan, place in found.skips]
        session.execute(update(SkipRow), rows)
    if found.people:
        told = [{"run_id": run, "account_id": account, "whom": None} for run, account in found.people]
        session.execute(update(ScoreRow), told)


def _chunks(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (items[start : start + AT_ONCE] for start in range(0, len(items), AT_ONCE))
