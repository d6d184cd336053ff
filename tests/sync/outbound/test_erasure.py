"""A person who asks to be forgotten is, everywhere in the ledger, and the journal still verifies."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pytest
from sqlalchemy import select, update

from connectors.errors import StateError, UsageError
from sync import journal
from sync.audit import verify
from sync.entry_digest import commitment, emptied
from sync.erased import PLACEHOLDER
from sync.erasure import erase, erase_old, find, find_old, names_record
from sync.history import writes
from sync.mentions import Sought, seek
from sync.store import Store
from sync.store.base import Base
from sync.store.scores import SCORES, load_scores, save_scores
from sync.store.tables import RunRow
from sync.store.writeback import DOOR, JournalRow, LinkRow, OperationRow, SkipRow, TaskRow

DANA = Sought(ids=frozenset({"C0", "C1", "C2"}), anywhere=("Dana Ortiz",))


@pytest.fixture
def applied(world: Any, score: Callable[..., dict[str, Any]]) -> Any:
    """A world in which a plan was applied that proposes to talk to Dana Ortiz."""
    world.first = world.plan(*(score(n) for n in range(3)))
    world.apply(world.first)
    return world


def everything(store: Store) -> str:
    """All that the ledger holds, as one text."""
    with store.session() as session:
        rows = [
            [str(value) for value in row]
            for table in Base.metadata.sorted_tables
            for row in session.execute(select(table))
        ]
    return json.dumps(rows)


def test_nothing_of_a_person_is_left_and_the_rest_is(applied: Any) -> None:
    """Cells, task bodies and ids that name her go; the other cells of the same records stay."""
    assert "Dana Ortiz" in everything(applied.store)
    found = erase(applied.store, DANA, reason="request 17", at=applied.now)
    assert "Dana Ortiz" not in everything(applied.store)
    with applied.store.session() as session:
        entries = journal.history(session, "0011")
    held = {entry.key: entry.after for entry in entries}
    assert held["whom_to_reach"] == held["brief"] == PLACEHOLDER
    assert held["tier"] == "high"
    assert len(found.entries) == 9  # whom to reach, the brief and the task, three times
    assert len(found.operations) == 6


def test_the_chain_is_whole_after_an_erasure_and_says_why_not_who(applied: Any) -> None:
    """The link names entries, operations and the reason."""
    found = erase(applied.store, DANA, reason="request 17", at=applied.now)
    verdict = verify(applied.store)
    assert verdict.faults == ()
    assert verdict.erased == len(found.entries)
    with applied.store.session() as session:
        link = session.scalars(select(LinkRow).where(LinkRow.kind == "erasure")).one()
    assert link.ref["reason"] == "request 17"
    assert sorted(link.ref["operations"]) == sorted(found.operations)


def test_what_was_erased_cannot_be_guessed_back(applied: Any) -> None:
    """Neither the right value nor its digest can be told from what is left: the salt is gone."""
    with applied.store.session() as session:
        row = session.scalars(select(JournalRow).where(JournalRow.key == "whom_to_reach")).first()
        before, after, salt = row.before, row.after, row.salt
        kept = commitment(salt, before, after)
    erase(applied.store, DANA, reason="request 17", at=applied.now)
    with applied.store.session() as session:
        left = session.get(JournalRow, row.id)
    assert left.before == left.after == emptied(kept)
    assert left.salt is None
    assert salt not in everything(applied.store)
    assert commitment("", before, after) != kept != commitment("0" * 32, before, after)


def test_an_erasure_without_a_link_is_found(applied: Any) -> None:
    """Whoever empties a row by hand, as an erasure would, is found out."""
    with applied.store.begin() as session:
        row = session.scalars(select(JournalRow).where(JournalRow.key == "tier")).first()
        left = emptied(commitment(row.salt, row.before, row.after))
        session.execute(
            update(JournalRow).where(JournalRow.id == row.id),
            {"before": left, "after": left, "salt": None, "erased_at": applied.now},
            execution_options={DOOR: True},
        )
        session.execute(
            update(OperationRow)
            .where(OperationRow.kind == "task")
            .values(payload={"draft": {"key": "k"}, "erased_at": "2026"})
        )
    faults = {fault.record: fault.code for fault in verify(applied.store).faults}
    assert faults.pop(f"journal entry {row.id}") == "forged_erasure"
    assert {code for record, code in faults.items() if record.startswith("operation")} == {"forged_erasure"}


def test_content_that_is_put_back_after_an_erasure_is_found(applied: Any) -> None:
    """From a backup, say: the person was promised that it is gone."""
    with applied.store.session() as session:
        row = session.scalars(select(JournalRow).where(JournalRow.key == "whom_to_reach")).first()
        operation = session.get(OperationRow, row.operation_key)
    erase(applied.store, DANA, reason="request 17", at=applied.now)
    with applied.store.begin() as session:
        held = {"before": row.before, "after": row.after, "salt": row.salt, "erased_at": None}
        session.execute(
            update(JournalRow).where(JournalRow.id == row.id), held, execution_options={DOOR: True}
        )
        session.execute(
            update(OperationRow).where(OperationRow.key == operation.key).values(payload=operation.payload)
        )
    faults = {fault.record: fault.message for fault in verify(applied.store).faults}
    assert "holds content again" in faults[f"journal entry {row.id}"]
    assert "holds content again" in faults[f"operation {operation.key}"]


def test_a_plan_that_lost_content_cannot_be_applied_and_says_why(
    world: Any, score: Callable[..., dict[str, Any]]
) -> None:
    """What was approved is no longer there; nothing is sent."""
    plan = world.plan(*(score(n) for n in range(3)))
    found = erase(world.store, DANA, reason="request 17", at=world.now)
    assert found.plans == (plan.id,)
    assert found.entries == ()
    with pytest.raises(StateError, match=r"person's data was erased from this plan.*upswell plan"):
        world.apply(plan)
    assert world.crm.writes == []
    assert {write.outcome for write in writes(world.store, run=plan.id)} == {"refused"}
    with world.store.session() as session:
        fences = set(session.scalars(select(OperationRow.fence).where(OperationRow.plan_id == plan.id)))
    assert fences == {1}  # a worker that had claimed one can't send it now
    assert verify(world.store).faults == ()


def test_a_plan_that_was_tampered_with_does_not_pass_for_an_erased_one(
    world: Any, score: Callable[..., dict[str, Any]]
) -> None:
    """The mark alone opens nothing: a link must say so."""
    plan = world.plan(score(0))
    with world.store.begin() as session:
        row = session.scalars(select(OperationRow)).first()
        row.payload = row.payload | {"erased_at": "2026"}
    for verb in (world.apply, lambda plan: world.rollback(plan.id)):
        with pytest.raises(StateError, match="differ from what was frozen"):
            verb(plan)


def test_what_is_left_of_a_plan_can_still_be_rolled_back(applied: Any) -> None:
    """The cells that speak of nobody go back; the erased one stays as the CRM has it."""
    erase(applied.store, DANA, reason="request 17", at=applied.now)
    report = applied.rollback(applied.first.id)
    assert report.restored_records == 3
    assert report.left == ()  # nobody changed the cell: what it held is not known any more
    held = applied.crm.records["0011"]
    assert held["Expansion_Tier__c"] is None
    assert "Dana Ortiz" in held["Expansion_Whom_To_Reach__c"]
    assert verify(applied.store).faults == ()


def test_nothing_is_erased_while_it_is_being_sent(applied: Any) -> None:
    """Its outcome must be found out first, and that needs the content."""
    with applied.store.begin() as session:
        row = session.scalars(select(OperationRow).where(OperationRow.kind == "write")).first()
        row.state = "sending"
    with pytest.raises(StateError, match=r"being sent.*apply"):
        erase(applied.store, DANA, reason="request 17", at=applied.now)
    assert find(applied.store, DANA)


def test_erasing_twice_finds_nothing_more(applied: Any) -> None:
    """And adds no link."""
    erase(applied.store, DANA, reason="request 17", at=applied.now)
    links = verify(applied.store).links
    assert not erase(applied.store, DANA, reason="request 17", at=applied.now)
    assert verify(applied.store).links == links


def test_a_dry_run_finds_what_an_erasure_erases(applied: Any) -> None:
    """And changes nothing."""
    before = everything(applied.store)
    found = find(applied.store, DANA)
    assert everything(applied.store) == before
    assert found == erase(applied.store, DANA, reason="request 17", at=applied.now)


def test_traces_in_a_file_that_somebody_reads_are_told_and_go_with_the_next_erasure(
    applied: Any, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite keeps deleted bytes until the file is rewritten; a server sees to that itself."""
    monkeypatch.setattr("sync.store.engine.WIPE_SECONDS", 0)
    with applied.store.session() as reader:
        reader.execute(select(TaskRow)).first()
        found = erase(applied.store, DANA, reason="request 17", at=applied.now)
    assert found.has_traces == (database == "sqlite")
    assert not erase(applied.store, DANA, reason="request 17", at=applied.now).has_traces


def test_a_reason_that_names_the_person_is_refused(applied: Any) -> None:
    """It would be kept for good."""
    with pytest.raises(UsageError, match="reason names the person"):
        erase(applied.store, DANA, reason="dana  ortiz asked", at=applied.now)


def test_tasks_and_what_plans_left_out_are_erased_too(applied: Any) -> None:
    """A task's subject and the detail of a skip may name someone."""
    with applied.store.begin() as session:
        session.execute(update(TaskRow).values(subject="Call Dana Ortiz"))
        skip = SkipRow(
            plan_id=applied.first.id, position=99, account_id="a7", record_id=None, subject="task",
            reason="status", detail="Dana Ortiz said so",
        )  # fmt: skip
        session.add(skip)
    found = erase(applied.store, DANA, reason="request 17", at=applied.now)
    assert (len(found.tasks), len(found.skips)) == (3, 1)
    with applied.store.session() as session:
        assert set(session.scalars(select(TaskRow.subject))) == {PLACEHOLDER}
        assert session.get(SkipRow, (applied.first.id, 99)).detail == PLACEHOLDER


def test_an_account_goes_as_a_whole(applied: Any) -> None:
    """Every value before and after, of this account and no other."""
    assert names_record(applied.store, "0011")
    assert not names_record(applied.store, "Dana Ortiz")
    found = erase(applied.store, Sought(records=frozenset({"0011"})), reason="request 18", at=applied.now)
    with applied.store.session() as session:
        assert {entry.after for entry in journal.history(session, "0011")} == {PLACEHOLDER}
        assert PLACEHOLDER not in {entry.after for entry in journal.history(session, "0012")}
    assert len(found.operations) == 2
    assert verify(applied.store).faults == ()


def test_what_is_older_than_it_is_kept_goes_and_its_links_stay(
    applied: Any, score: Callable[..., dict[str, Any]]
) -> None:
    """The newer plan keeps its content."""
    applied.now += timedelta(days=10)
    applied.apply(applied.plan(*(score(n, probability=0.5) for n in range(3))))
    cut = applied.now - timedelta(days=5)
    links = verify(applied.store).links
    planned = find_old(applied.store, cut)
    assert planned == erase_old(applied.store, cut, at=applied.now)
    with applied.store.session() as session:
        rows = session.execute(select(JournalRow.at, JournalRow.erased_at)).all()
    assert {row.erased_at is not None for row in rows if row.at < cut} == {True}
    assert {row.erased_at is not None for row in rows if row.at >= cut} == {False}
    verdict = verify(applied.store)
    assert verdict.faults == ()
    assert verdict.links == links + 1


CONTACTS = [
    dict(zip(("crm_id", "name", "email", "account_crm_id"), row, strict=True)) | {"is_deleted": False}
    for row in (
        ("003000000000001AAA", "Dana Ortiz", "dana@a.example", "0011"),
        ("003000000000002AAA", "Dana Ortiz", "ortiz@b.example", "0012"),
        ("003000000000003AAA", "Ann", None, "0012"),
        ("003000000000004AAA", "D. Ortiz", "Dana@A.example", "0013"),
    )
]


def test_a_person_is_known_by_id_mail_or_name() -> None:
    """All ids, mails and names of the same person are looked for."""
    sought = seek(CONTACTS, "003000000000001")
    assert sought == seek(CONTACTS, " DANA@a.example")
    assert sought.in_crm == 2
    assert sought.is_in("003000000000004AAA")
    assert sought.is_in("003000000000004")
    assert not sought.is_in("about 003000000000004AAA")
    assert sought.is_in("mail DANA@A.EXAMPLE now")
    assert not sought.is_in("mail ortiz@b.example now", "0012")


def test_a_name_that_others_bear_counts_on_ones_own_accounts_only() -> None:
    """Nobody else's data goes with it."""
    sought = seek(CONTACTS, "003000000000001AAA")
    assert sought.is_in("Talk to Dana  ORTIZ, VP", "0011")
    assert not sought.is_in("Talk to Dana Ortiz, VP", "0012")
    with pytest.raises(UsageError, match=r"2 people.*003000000000001AAA"):
        seek(CONTACTS, "dana ortiz")


def test_a_name_is_a_whole_word() -> None:
    """Ann is not found in Annual, and is found before a comma."""
    sought = seek(CONTACTS, "Ann")
    assert sought.is_in("Talk to Ann, VP")
    assert not sought.is_in("Annual plan")
    assert not sought.is_in(7)


def test_a_number_is_an_id_and_no_text() -> None:
    """HubSpot's ids are numbers, and 151 % of the seats are nobody."""
    contact = {"crm_id": "151", "name": None, "email": None, "account_crm_id": "9", "is_deleted": True}
    for sought in (seek([contact], "151"), seek([], "151")):
        assert sought.is_in("151")
        assert not sought.is_in("Seats 151 % used")
        assert sought.in_crm == 0


def test_someone_whom_the_lake_does_not_know_is_looked_for_as_written() -> None:
    """The contact may be deleted by now; two letters would be in every text."""
    assert seek([], "Zoë Müller").is_in("Talk to ZOE\u0308 MÜLLER: champion")
    with pytest.raises(UsageError, match="too short"):
        seek([], " x ")


def test_scores_no_longer_say_to_reach_whoever_was_forgotten(
    world: Any, score: Callable[..., dict[str, Any]]
) -> None:
    """Contact ids go from every score that names her, and from no other; so does what is old enough."""

    def whom(contact: str) -> dict[str, Any]:
        return {"reach": [{"contact": contact, "reason": "champion"}], "missing": []}

    rows = [score(1, whom=whom("C1")), score(2, whom=whom("C12")), score(3)]
    world.plan(*rows)
    with world.store.begin() as session:
        session.add(RunRow(id="s1", verb="score", started_at=world.now, status="done", config_hash="x"))
    table = pa.Table.from_pylist(rows, schema=SCORES)
    save_scores(
        world.store,
        "s1",
        table,
        as_of=rows[0]["as_of"],
        model_version="2026.11.20-1",
        data_hash="x",
        now=world.now,
    )

    def told() -> list[Any]:
        by_account = load_scores(world.store, "s1").sort_by("account_id")
        return [
            None if each is None else each["reach"][0]["contact"] for each in by_account["whom"].to_pylist()
        ]

    assert find(world.store, DANA).people == (("s1", "a1"),)
    erase(world.store, DANA, reason="request 17", at=world.now)
    assert told() == [None, "C12", None]
    erase_old(world.store, world.now + timedelta(days=30), at=world.now)
    assert told() == [None, None, None]
