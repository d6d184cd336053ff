"""The ledger opens, upgrades, keeps what was committed and nothing else."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, cast

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, text
from sqlalchemy.exc import IntegrityError, StatementError

from connectors.errors import SettingError, StateError
from sync.store import Store, calls, engine, tables, writeback
from sync.store.base import Base
from sync.store.engine import HEAD
from sync.store.migrations import config


def test_the_migrations_make_exactly_the_tables_of_the_code(ledger: Store) -> None:
    """Whoever changes a table writes a migration, or this says what is missing."""
    assert tables.RunRow.metadata is writeback.PlanRow.metadata is Base.metadata
    with ledger.session() as session:
        context = MigrationContext.configure(session.connection(), opts={"compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []


def test_the_engine_knows_the_newest_migration() -> None:
    """The constant that saves loading Alembic at each start is the folder's head."""
    assert ScriptDirectory.from_config(config()).get_current_head() == HEAD


def test_opening_a_current_ledger_does_not_load_alembic(tmp_path: Path) -> None:
    """A start costs no migration machinery when there is nothing to migrate."""
    url = f"sqlite:///{tmp_path / 'ledger.sqlite'}"
    Store.open(url).close()
    opens = f"from sync.store import Store; Store.open({url!r}).close()"
    code = f"import sys; {opens}; print('alembic' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_ledger_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    """An older program must not write into a schema that it does not know."""
    url = f"sqlite:///{tmp_path / 'ledger.sqlite'}"
    with Store.open(url) as store, store.begin() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StateError, match=r"newer Upswell.*9999.*Fix: upgrade"):
        Store.open(url)
    with pytest.raises(StateError):  # and it is refused again: the attempt changed nothing
        Store.open(url)


def test_an_older_ledger_is_upgraded_and_keeps_its_rows(tmp_path: Path, noon: datetime) -> None:
    """What revision 0001 held is there after the upgrade."""
    from alembic import command

    url = f"sqlite:///{tmp_path / 'ledger.sqlite'}"
    with Store.open(url) as store:
        with store.begin() as session:
            session.add(tables.LockRow(name="apply", owner="me", expires_at=noon))
        with store._writer.begin() as connection:
            made = config()
            made.attributes["connection"] = connection
            command.downgrade(made, "0001")
    with Store.open(url) as store, store.session() as session:
        held = session.get(tables.LockRow, "apply")
        assert held is not None
        assert held.owner == "me"
        assert session.scalar(text("SELECT count(*) FROM plans")) == 0


def test_a_failed_write_leaves_nothing(ledger: Store, noon: datetime) -> None:
    """`begin` is all or nothing."""

    def fail() -> None:
        with ledger.begin() as session:
            session.add(tables.LockRow(name="a", owner="me", expires_at=noon))
            session.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with ledger.session() as session:
        assert session.get(tables.LockRow, "a") is None


def test_a_reading_session_writes_nothing(ledger: Store, noon: datetime) -> None:
    """`session` is for looking."""
    with ledger.session() as session:
        session.add(tables.LockRow(name="a", owner="me", expires_at=noon))
        session.flush()
    with ledger.session() as session:
        assert session.get(tables.LockRow, "a") is None


def test_a_reader_sees_one_state_while_another_writes(ledger: Store, noon: datetime) -> None:
    """WAL: a reader neither waits for a writer nor sees half of its work."""
    with ledger.session() as reader:
        assert reader.scalar(text("SELECT count(*) FROM locks")) == 0
        with ledger.begin() as writer:
            writer.add(tables.LockRow(name="a", owner="me", expires_at=noon))
        assert reader.scalar(text("SELECT count(*) FROM locks")) == 0
    with ledger.session() as reader:
        assert reader.scalar(text("SELECT count(*) FROM locks")) == 1


def test_a_second_writer_waits_for_its_turn_before_it_reads(
    ledger: Store, ledger_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The write lock is taken at BEGIN, so no writer decides on what another is changing."""
    monkeypatch.setattr(engine, "BUSY_SECONDS", 0.05)
    with Store.open(ledger_url) as other:
        with (
            ledger.begin(),
            pytest.raises(StateError, match="another process has been writing"),
            other.begin(),
        ):
            pass
        with other.begin() as session:  # and it gets its turn
            assert session.scalar(text("SELECT count(*) FROM locks")) == 0


def test_a_writer_sees_what_the_one_before_it_committed(
    ledger: Store, ledger_url: str, noon: datetime
) -> None:
    """Not the state of the moment when it began to wait."""
    with Store.open(ledger_url) as other, ThreadPoolExecutor(1) as pool:

        def count() -> int | None:
            with other.begin() as session:
                return cast("int | None", session.scalar(text("SELECT count(*) FROM locks")))

        with ledger.begin() as session:
            waiting = pool.submit(count)
            session.add(tables.LockRow(name="a", owner="me", expires_at=noon))
            session.flush()
            with pytest.raises(FutureTimeout):
                waiting.result(0.2)
        assert waiting.result(30) == 1


def test_foreign_keys_are_enforced(ledger: Store) -> None:
    """A step of no run is a fault in the code, and told as one."""
    with pytest.raises(IntegrityError), ledger.begin() as session:
        session.execute(text("INSERT INTO bookmarks VALUES ('nobody', 'accounts', '2026-01-01')"))


@given(
    st.datetimes(min_value=datetime(1970, 1, 2), max_value=datetime(2200, 1, 1)),  # noqa: DTZ001  # zone below
    st.integers(min_value=-14 * 60, max_value=14 * 60),
)
@settings(
    derandomize=True,
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_a_moment_comes_back_as_the_same_moment_in_utc(ledger: Store, wall: datetime, offset: int) -> None:
    """Whatever zone it was given in."""
    moment = wall.replace(tzinfo=timezone(timedelta(minutes=offset)))
    with ledger.begin() as session:
        session.merge(tables.LockRow(name="a", owner="me", expires_at=moment))
    with ledger.session() as session:
        held = session.get_one(tables.LockRow, "a").expires_at
    assert held == moment
    assert held.tzinfo is UTC


def test_a_naive_moment_is_refused(ledger: Store) -> None:
    """It could be in any zone."""
    with pytest.raises(StatementError, match="naive"), ledger.begin() as session:
        session.add(tables.LockRow(name="a", owner="me", expires_at=datetime(2026, 1, 1)))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        ("nonsense", "no database URL"),
        ("mysql://me:hunter2@db/x", "no database that the ledger runs on"),
        ("sqlite:////proc/nowhere/ledger.sqlite", "No such file"),
        ("postgresql+psycopg://me:hunter2@127.0.0.1:1/x?connect_timeout=2", "can't be opened"),
    ],
)
def test_a_database_that_cannot_be_used_is_a_setting_error_without_the_password(url: str, hint: str) -> None:
    """The setting is named; a password is not."""
    with pytest.raises(SettingError, match=hint) as caught:
        Store.open(url)
    assert caught.value.setting == "state.url"
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        ({"password": "hunter2"}, "password authentication failed"),
        ({"database": "nowhere"}, "nowhere"),
    ],
)
def test_a_server_that_refuses_us_is_a_setting_error_without_the_password(
    postgres: Any, options: dict[str, str], hint: str
) -> None:
    """With what the server said."""
    with pytest.raises(SettingError, match=hint) as caught:
        Store.open(postgres.url(**options))
    assert caught.value.setting == "state.url"
    assert options.get("password", postgres.password) not in str(caught.value)


def test_a_password_among_the_options_of_a_url_is_not_shown() -> None:
    """libpq takes it there too."""
    with pytest.raises(SettingError) as caught:
        Store.open("postgresql+psycopg://me@127.0.0.1:1/x?password=hunter2&connect_timeout=2")
    assert "hunter2" not in str(caught.value)


def test_a_database_that_goes_away_is_told_and_used_again_when_it_is_back(
    postgres: Any, new_ledger: Any, noon: datetime
) -> None:
    """The transaction is lost as a whole; the next one finds a connection that works."""
    ends = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'upswell'"

    def lose() -> None:
        with store.begin() as session:
            session.add(tables.LockRow(name="a", owner="me", expires_at=noon))
            session.flush()
            postgres.execute(ends)

    with new_ledger("postgresql") as url, Store.open(url) as store:
        with pytest.raises(
            StateError, match=r"database is away.*Fix: run this again when it is back"
        ) as caught:
            lose()
        assert postgres.password not in str(caught.value)
        with store.begin() as session:
            assert session.get(tables.LockRow, "a") is None
        postgres.execute(ends)
        with store.session() as session:  # an idle connection that broke costs nothing
            assert session.get(tables.LockRow, "a") is None


def test_a_file_that_is_no_database_is_a_setting_error(tmp_path: Path) -> None:
    """Somebody's own file is left as it is."""
    file = tmp_path / "notes.txt"
    file.write_text("these are my notes, not a database\n" * 50)
    with pytest.raises(SettingError, match="not a database"):
        Store.open(f"sqlite:///{file}")
    assert file.read_text().startswith("these are my notes")


def test_counting_waits_for_no_disk_and_keeps_all_or_nothing(ledger: Store, noon: datetime) -> None:
    """A call to the CRM must not cost a turn of the disk; a process that dies loses nothing."""
    asked = "SHOW synchronous_commit" if ledger.engine.dialect.name == "postgresql" else "PRAGMA synchronous"
    row = {"org": "acme", "since": noon, "run_id": "", "calls": 1}
    with ledger.counting() as connection:
        assert str(connection.execute(text(asked)).scalar_one()) in {"off", "1"}
        connection.execute(insert(calls.CallCountRow), row)
    with pytest.raises(IntegrityError), ledger.counting() as connection:
        connection.execute(insert(calls.CallCountRow), [row | {"run_id": "another"}, row])
    with ledger.session() as session:
        assert [each.run_id for each in session.query(calls.CallCountRow)] == [""]


@pytest.mark.parametrize("database", ["postgresql"])
def test_a_long_write_to_the_ledger_holds_up_no_call(ledger: Store, noon: datetime) -> None:
    """On a server, that is; a file has one writer."""
    with ledger.begin() as session:
        session.add(tables.LockRow(name="long", owner="me", expires_at=noon))
        session.flush()
        with ledger.counting() as connection:
            connection.execute(insert(calls.CallRateRow), {"org": "acme", "rate": "burst", "calls": 190})
