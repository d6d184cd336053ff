"""More columns than an address holds come complete, each row of one moment."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.crm import Window
from connectors.errors import TransientError
from connectors.salesforce.bulk import Bulk
from connectors.salesforce.fetch import Fetch
from connectors.salesforce.query import Query
from connectors.salesforce.schema import Schemas
from connectors.salesforce.wide import fits
from connectors.sandbox.salesforce.schema import Field, Schema
from connectors.sandbox.server import Sandbox

FIELDS = tuple(f"{'A_Field_With_A_Long_Name_':_<60}{number:04}__c" for number in range(220))
SHOWN = (FIELDS[0], FIELDS[len(FIELDS) // 2], FIELDS[-1])
FULL = Window(since=None, until=datetime(2100, 1, 1, tzinfo=UTC))
SINCE = Window(since=datetime(2026, 1, 1, tzinfo=UTC), until=datetime(2100, 1, 1, tzinfo=UTC))
Happen = dict[int, Callable[[], None]]


@pytest.fixture(scope="module")
def wide_folder(empty_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of an org whose accounts have 220 text fields more, which everybody sees."""
    folder = tmp_path_factory.mktemp("wide") / "org"
    shutil.copytree(empty_folder, folder)
    with Sandbox(folder) as sandbox:
        kind = {"type": "string", "length": 40, "required": True, "createable": False}
        fields = [Field(name=name, label=name, **kind) for name in FIELDS]  # type: ignore[arg-type]
        Schema(sandbox.store).add_fields("Account", fields)
    return folder


@pytest.fixture
def wide_org(wide_folder: Path, tmp_path: Path, org_in: Any) -> Iterator[Any]:
    """That org, with people."""
    shutil.copytree(wide_folder, tmp_path / "wide")
    org = org_in(tmp_path / "wide")
    yield org
    org.close()


@pytest.fixture
def fetch(wide_org: Any) -> Iterator[Callable[..., Fetch]]:
    """Makes a reader; the nth query over REST, from 1, is followed by what shall happen then."""

    def made(happen: Happen | None = None, *, bulk: bool = False) -> Fetch:
        queries = 0

        def seen(request: Any) -> None:
            nonlocal queries
            if request.path.endswith(("/query/", "/queryAll/")):
                queries += 1
                (happen or {}).get(queries, lambda: None)()

        client = wide_org.connect(on_request=seen)._client
        schemas = Schemas(client.read, client.describe_all)
        ways = Bulk(client, sleep=lambda _: None) if bulk else None
        return Fetch(client, schemas, bulk=ways, objects=("Account",))

    return made


def query(window: Window = FULL) -> Query:
    """Everything of every account."""
    return Query(
        object="Account",
        fields=("Id", "Name", "Owner.Name", *FIELDS, "Owner.Email"),
        cursor="SystemModstamp",
        window=window,
        deleted=window.since is not None,
    )


def read(fetch: Fetch, wanted: Query) -> dict[str, Any]:
    """The rows by id; none comes twice."""
    rows = [row for page in fetch.pages(wanted) for row in page]
    assert len({row["Id"] for row in rows}) == len(rows)
    return {row["Id"]: row for row in rows}


def values(org: Any, number: int) -> list[str]:
    """Accounts with a text in the first, the middle and the last field; their ids."""
    ids = org.many_accounts(number)
    rows = [
        {"Id": each, "OwnerId": org.user, **{name: f"{place} {name[-7:]}" for name in SHOWN}}
        for place, each in enumerate(ids)
    ]
    org.sandbox.store.bulk_update("Account", rows)
    return list(ids)


@pytest.mark.parametrize("window", [FULL, SINCE])
def test_every_column_of_every_row_is_there(wide_org: Any, fetch: Any, window: Window) -> None:
    """Also a parent's columns that fell into two parts, and rows of several pages."""
    wide_org.user = wide_org.sandbox.store.select('SELECT Id FROM "User" ORDER BY Id LIMIT 1')[0][0]
    ids = values(wide_org, 2_050)
    assert not fits(query(window))
    rows = read(fetch(), query(window))
    assert sorted(rows) == sorted(ids)
    for place, each in enumerate(ids):
        assert [rows[each][name] for name in SHOWN] == [f"{place} {name[-7:]}" for name in SHOWN]
        assert rows[each]["Owner"]["Name"]
        assert rows[each]["Owner"]["Email"]


def test_a_row_that_changes_between_two_parts_comes_new_as_a_whole(wide_org: Any, fetch: Any) -> None:
    """Never its first columns of before and its last ones of after."""
    changed, other = wide_org.create("Account", Name="old"), wide_org.create("Account", Name="other")

    def edit() -> None:
        wide_org.advance(seconds=5)
        wide_org.edit("Account", changed, Name="new", **{FIELDS[-1]: "new too"})

    rows = read(fetch({1: edit}), query())
    assert (rows[changed]["Name"], rows[changed][FIELDS[-1]]) == ("new", "new too")
    assert rows[other]["Name"] == "other"


def test_a_row_that_goes_between_two_parts_is_no_half_row(wide_org: Any, fetch: Any) -> None:
    """A full read leaves it out; an increment sees it deleted."""
    first, second = (wide_org.create("Account", Name=name) for name in ("first", "second"))
    assert set(read(fetch({1: lambda: wide_org.delete("Account", first)}), query())) == {second}
    rows = read(fetch({1: lambda: wide_org.delete("Account", second)}), query(SINCE))
    assert set(rows) == {first, second}


def test_a_row_that_never_rests_is_left_to_a_later_pull(wide_org: Any, fetch: Any) -> None:
    """Told with its id, after three tries."""
    restless = wide_org.create("Account", Name="restless")

    def edit() -> None:
        wide_org.advance(seconds=5)
        wide_org.edit("Account", restless, Name=f"at {wide_org.sandbox.clock.now()}")

    with pytest.raises(TransientError, match="changes faster") as caught:
        read(fetch(dict.fromkeys(range(1, 40), edit)), query())
    assert restless in str(caught.value.record)


def test_a_job_takes_all_columns_at_once(wide_org: Any, fetch: Any) -> None:
    """Its statement is no address: only that of a probe is split."""
    wide_org.user = None
    ids = values(wide_org, 2_001)
    rows = read(fetch(bulk=True), query())
    assert sorted(rows) == sorted(ids)
    assert not any(each.path.endswith("/query/") for each in wide_org.requests("/query"))
    assert rows[ids[-1]][FIELDS[-1]] == f"2000 {FIELDS[-1][-7:]}"
