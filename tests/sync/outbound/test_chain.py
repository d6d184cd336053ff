"""The chain has one key, begins once, and seals what was written before there was one."""

from __future__ import annotations

import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.engine import make_url

from connectors.errors import SettingError, StateError
from sync import chain, journal
from sync.audit import verify
from sync.check import Verdict, fine
from sync.config import load
from sync.connect import journal_key
from sync.erasure import erase
from sync.journal_check import check_journal
from sync.mentions import Sought
from sync.operations import COLUMNS, Operation
from sync.store import Store
from sync.store.journal_key import JournalKey
from sync.store.people import ApprovalRow
from sync.store.writeback import DOOR, JournalRow, LinkRow, OperationRow

OTHER = JournalKey(secret="of-another-installation" * 2)


@pytest.fixture
def applied(world: Any, score: Callable[..., dict[str, Any]]) -> Any:
    """A world in which a plan was applied and one account taken back."""
    world.first = world.plan(*(score(n) for n in range(3)))
    world.apply(world.first)
    world.rollback(world.first.id, account="a1")
    return world


def make_old(store: Store) -> None:
    """The ledger as a version without a chain left it: cells only, no digests, no links."""
    with store.begin() as session:
        session.execute(delete(LinkRow.__table__))
        session.execute(delete(ApprovalRow))
        session.execute(
            delete(JournalRow.__table__).where(JournalRow.__table__.c.kind.in_(("task", "close")))
        )
        old = {"salt": None, "digest": None, "kind": "write"}
        session.execute(update(JournalRow), old, execution_options={DOOR: True})


def test_the_first_write_seals_what_an_older_version_wrote(
    applied: Any, score: Callable[..., dict[str, Any]]
) -> None:
    """From then on the old entries are as safe as the new ones, and the tasks without entries are known."""
    make_old(applied.store)
    before = verify(applied.store)
    assert (before.faults, before.unsealed, before.head) == ((), before.entries, None)
    applied.apply(applied.plan(*(score(n, probability=0.5) for n in range(3))))
    after = verify(applied.store)
    assert (after.faults, after.sealed, after.unsealed) == ((), before.entries, 0)
    with applied.store.session() as session:
        links = session.scalars(select(LinkRow).order_by(LinkRow.seq)).all()
        first = session.scalars(select(JournalRow).order_by(JournalRow.id)).first()
    kinds = [link.kind for link in links if link.kind != "approval"]
    assert (links[0].kind, kinds[:2]) == ("opening", ["opening", "entries"])
    assert len(links[0].ref["unjournalled"]) == 4  # three tasks, one of which was closed
    with applied.store.begin() as session:
        session.execute(
            update(JournalRow).where(JournalRow.id == first.id),
            {"field": "x"},
            execution_options={DOOR: True},
        )
    assert [fault.record for fault in verify(applied.store).faults] == [f"journal entry {first.id}"]


def test_an_erasure_seals_first(applied: Any) -> None:
    """Old entries have no salt: without one, what is left of a content could be guessed back."""
    make_old(applied.store)
    assert erase(applied.store, Sought(anywhere=("Dana Ortiz",)), reason="request 1", at=applied.now)
    verdict = verify(applied.store)
    assert verdict.faults == ()
    assert verdict.erased


def test_an_old_ledger_can_be_rolled_back(applied: Any) -> None:
    """Restores, which older versions did not tell by kind, are not taken for writes."""
    make_old(applied.store)
    report = applied.rollback(applied.first.id)
    assert report.restored_records == 2
    assert verify(applied.store).faults == ()


def test_another_key_is_told_and_writes_nothing(applied: Any, ledger_url: str) -> None:
    """Neither verifying nor writing goes on with a key that the chain was not begun with."""
    with Store.open(ledger_url, journal_key=OTHER) as store:
        with pytest.raises(StateError, match=r"state.journal_key: .*another key.*every machine"):
            verify(store)
        with pytest.raises(StateError, match="another key"):
            chain.refuse_broken(store)
        with pytest.raises(StateError, match="another key"), store.begin() as session:
            chain.add(session, "install", {}, at=applied.now)
    chain.refuse_broken(applied.store)
    assert verify(applied.store).faults == ()


def test_a_key_file_that_was_lost_is_not_made_anew(applied: Any, ledger_url: str, tmp_path: Path) -> None:
    """A new key could not verify what the old one sealed."""
    with Store.open(ledger_url, journal_key=JournalKey(file=tmp_path / "gone")) as store:
        with pytest.raises(StateError, match="another key"), store.begin() as session:
            chain.add(session, "install", {}, at=applied.now)
        with pytest.raises(StateError, match="another key"):
            verify(store)
    assert not (tmp_path / "gone").exists()


def test_nothing_is_linked_to_a_last_link_that_was_changed(applied: Any) -> None:
    """What comes after it would look sound."""
    with applied.store.begin() as session:
        last = session.scalars(select(LinkRow.seq).order_by(LinkRow.seq.desc())).first()
        table = LinkRow.__table__
        session.execute(update(table).where(table.c.seq == last).values(digest="0" * 64))
    with pytest.raises(StateError, match=rf"link {last}: .*last link was changed.*audit verify"):
        chain.refuse_broken(applied.store)
    with pytest.raises(StateError, match="last link was changed"), applied.store.begin() as session:
        chain.add(session, "install", {}, at=applied.now)


def test_a_link_that_was_made_elsewhere_under_the_same_key_is_found(
    applied: Any, new_ledger: Any, database: str
) -> None:
    """A sound link of another ledger does not follow this one's."""
    with new_ledger(database) as url, Store.open(url, journal_key=applied.store.journal_key) as other:
        for _ in range(verify(applied.store).links):
            with other.begin() as session:
                chain.add(session, "install", {"fields": ["x"]}, at=applied.now)
        with other.session() as session:
            foreign = dict(
                session.execute(select(LinkRow.__table__).order_by(LinkRow.seq.desc())).first()._mapping
            )
    table = LinkRow.__table__
    with applied.store.session() as session:
        own = session.scalars(select(LinkRow.previous).order_by(LinkRow.seq.desc())).first()
    for previous in (foreign["previous"], own):
        with applied.store.begin() as session:
            changed = foreign | {"previous": previous}
            session.execute(update(table).where(table.c.seq == foreign["seq"]).values(changed))
        assert f"link {foreign['seq']}" in [fault.record for fault in verify(applied.store).faults]


def test_links_of_writers_at_once_are_in_one_order(ledger: Store, noon: Any) -> None:
    """Two writers never take the same number."""

    def add(number: int) -> int:
        with ledger.begin() as session:
            return chain.add(session, "install", {"fields": [str(number)]}, at=noon)

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(add, range(12))) == list(range(1, 13))
    assert verify(ledger).faults == ()


def test_the_journal_and_its_links_cannot_be_changed_through_the_orm(applied: Any) -> None:
    """Neither a row nor a table at a time; an erasure's door opens neither deletion nor the links."""
    for table in (JournalRow, LinkRow):
        with pytest.raises(StateError, match="append-only"), applied.store.begin() as session:
            session.scalars(select(table)).first().kind = "x"
        with pytest.raises(StateError, match="append-only"), applied.store.begin() as session:
            session.delete(session.scalars(select(table)).first())
        with pytest.raises(StateError, match="append-only"), applied.store.begin() as session:
            session.execute(update(table).values(kind="x"))
        with pytest.raises(StateError, match="append-only"), applied.store.begin() as session:
            session.execute(delete(table), execution_options={DOOR: True})
    with pytest.raises(StateError, match="append-only"), applied.store.begin() as session:
        session.execute(update(LinkRow).values(kind="x"), execution_options={DOOR: True})
    with pytest.raises(StateError, match="append-only"), applied.store.begin() as session:
        session.execute(update(JournalRow), [{"id": 1, "kind": "x"}])


def test_tasks_are_journalled_once(applied: Any, score: Callable[..., dict[str, Any]]) -> None:
    """Made, found again by the next plan's look, and closed: what was sent and what became of it."""
    with applied.store.session() as session:
        rows = session.scalars(select(JournalRow).where(JournalRow.object == "tasks")).all()
    made = {row.key: row for row in rows if row.kind == "task"}
    closed = [row for row in rows if row.kind == "close"]
    assert len(made) == 3
    assert made[closed[0].key].after["task"]["id"] == closed[0].after["closed"]["id"]
    assert [row.account_id for row in closed] == ["a1"]
    assert "Dana Ortiz" in made[closed[0].key].after["task"]["body"]


def test_a_task_that_a_later_attempt_finds_made_is_not_journalled_again(applied: Any) -> None:
    """A reply that was lost makes an operation look for its task: the task was made once."""
    before = verify(applied.store)
    with applied.store.begin() as session:
        row = session.scalars(select(OperationRow).where(OperationRow.kind == "task")).first()
        operation = Operation(**{name: getattr(row, name) for name in COLUMNS})
        journal.record_tasks(session, [(operation, "T1")], applied.now)
    after = verify(applied.store)
    assert (after.entries, after.links, after.faults) == (before.entries, before.links, ())


def test_a_ledger_file_has_a_key_that_only_its_owner_reads(tmp_path: Path, noon: Any) -> None:
    """Made when it is first needed, and the same from then on."""
    url = f"sqlite:///{tmp_path / 'ledger.sqlite'}"
    file = tmp_path / "ledger.sqlite.journal-key"
    for links in (1, 2):
        with Store.open(url) as store:
            assert file.exists() == (links > 1)
            with store.begin() as session:
                chain.add(session, "install", {}, at=noon)
            assert verify(store).links == links
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(file.read_text().strip()) == 64
    assert [each.name for each in tmp_path.glob("*key*")] == [file.name]


def test_two_that_make_the_key_at_once_have_the_same(tmp_path: Path) -> None:
    """The second one takes the first one's."""
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: JournalKey(file=tmp_path / "keys" / "key").made(), range(40)))
    assert len(keys) == 1


def test_a_key_that_cannot_be_kept_is_the_users_to_fix(tmp_path: Path) -> None:
    """The error names the setting and the file."""
    (tmp_path / "file").touch()
    with pytest.raises(SettingError, match=r"state.journal_key_file.*file/key"):
        JournalKey(file=tmp_path / "file" / "key").made()
    with pytest.raises(SettingError, match=r"state.journal_key_file.*directory"):
        JournalKey(file=tmp_path).held()
    with pytest.raises(SettingError, match=r"state.journal_key.*openssl"):
        JournalKey().held()


def test_settings_say_where_the_key_comes_from(tmp_path: Path) -> None:
    """Environment, then its file, then beside a ledger file, else among the models."""
    toml = tmp_path / "upswell.toml"

    def key_for(state: str, **environ: str) -> JournalKey:
        toml.write_text(f'[crm]\nkind = "salesforce"\n[state]\n{state}')
        return journal_key(load(toml, environ).state)

    beside = JournalKey.beside(make_url(f"sqlite:///{tmp_path}/upswell.sqlite"))
    assert key_for("") == beside
    assert key_for("", UPSWELL_STATE__JOURNAL_KEY="k" * 32).held() == b"k" * 32
    assert "kkk" not in repr(key_for("", UPSWELL_STATE__JOURNAL_KEY="k" * 32))
    assert key_for('journal_key_file = "mine"').file == tmp_path / "mine"
    assert key_for('url = "postgresql+psycopg://me@db/x"').file == tmp_path / "models" / "ledger.journal-key"
    with pytest.raises(SettingError, match="at least 32"):
        key_for("", UPSWELL_STATE__JOURNAL_KEY="short")


def test_doctor_says_whether_the_journal_can_be_continued(tmp_path: Path, noon: Any) -> None:
    """Its key, who may read it, and a chain that was begun with another one."""
    url, file = f"sqlite:///{tmp_path / 'ledger.sqlite'}", tmp_path / "ledger.sqlite.journal-key"
    with Store.open(url) as store:
        assert check_journal(store) == fine("Ledger", "journal", "not begun yet")
        with store.begin() as session:
            chain.add(session, "install", {}, at=noon)
        assert check_journal(store) == fine("Ledger", "journal", f"1 link, key in {file}")
        file.chmod(0o640)
        found = check_journal(store)
        assert (found.verdict, found.fix) == (Verdict.WARN, f"Let its owner alone read it: chmod 600 {file}")
    with Store.open(url, journal_key=OTHER) as store:
        assert check_journal(store).verdict is Verdict.FAIL
