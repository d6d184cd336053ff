"""What a scoring tells beside the scores: why each moved, what became of others like it, and its people."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import ibis
import pyarrow as pa
import pytest

from model.movement import BASE
from model.shapes import PARTS
from model.target import Target
from sync.lineage import Lineage
from sync.matured import matured_scores
from sync.movement import with_movement
from sync.people import with_whom
from sync.similar import with_like_this
from sync.store import Store
from sync.store.scores import SCORES, load_scores, save_scores
from sync.store.tables import RunRow

Score = Callable[..., dict[str, Any]]
TODAY = date(2026, 11, 22)
MAY = date(2026, 5, 18)


def table_of(*rows: dict[str, Any]) -> pa.Table:
    """Scores with their parts, as the model delivers them, without what is told beside."""
    names = [name for name in SCORES.names if name not in ("moved", "like_this", "whom")]
    schema = pa.schema([SCORES.field(name) for name in names]).append(pa.field("parts", PARTS))
    return pa.Table.from_pylist([{"parts": None} | row for row in rows], schema=schema)


def keep(
    store: Store,
    run_id: str,
    as_of: date,
    table: pa.Table,
    version: str = "2026.05.01-1",
    target: Target | None = None,
) -> None:
    """A scoring as of a day in the ledger, about the stated target unless it is about another."""
    now = datetime(as_of.year, as_of.month, as_of.day, 20, tzinfo=UTC)
    with store.begin() as session:
        session.add(RunRow(id=run_id, verb="score", started_at=now, status="done", config_hash="x"))
    detail = {} if target is None else {"target": target.as_json()}
    facts: dict[str, Any] = {"as_of": as_of, "model_version": version, "detail": detail}
    save_scores(store, run_id, table, **facts, data_hash="x", now=now)


def parts(**moves: float) -> list[tuple[str, float]]:
    """Parts of a score."""
    return [*moves.items(), (BASE, -1.0)]


def test_a_score_keeps_its_parts_and_the_next_one_says_why_it_moved(world: Any, score: Score) -> None:
    """From the newest scoring as of an earlier day; read back from the ledger as it was told."""
    keep(world.store, "r0", TODAY - timedelta(days=9), table_of(score(1, parts=parts(seats=-2.0))))
    before = score(1, probability=0.5, parts=parts(seats=1.0))
    keep(world.store, "r1", TODAY - timedelta(days=7), table_of(before))
    now = score(1, probability=0.622459, parts=parts(seats=1.5))
    keep(world.store, "same-day", TODAY, table_of(now))
    told = with_movement(world.store, table_of(now, score(2, parts=parts(seats=1.0))), TODAY)
    moved, new = told["moved"].to_pylist()
    assert moved == {
        "since": "2026-11-15",
        "points": 12.25,
        "sentence": "Up 12 points since 15 Nov: seat utilisation (+12)",
        "steps": [{"family": "seats", "points": 12.25}],
    }
    assert new is None
    keep(world.store, "r2", TODAY + timedelta(days=1), told)
    assert load_scores(world.store, "r2")["moved"].to_pylist() == [moved, None]


def test_a_merged_account_goes_by_the_row_of_the_record_that_it_took_in(world: Any, score: Score) -> None:
    """Its own row before that; a score of an older version, which kept no parts, tells nothing."""
    keep(
        world.store,
        "r1",
        TODAY - timedelta(days=7),
        table_of(score(2, probability=0.5, parts=parts(seats=1.0)), score(3, probability=0.4)),
    )
    lineage = Lineage.of({"0012": "a1"})
    now = table_of(score(1, probability=0.5, parts=parts(seats=1.0)), score(3, parts=parts(seats=1.0)))
    assert [
        row and row["points"] for row in with_movement(world.store, now, TODAY, lineage)["moved"].to_pylist()
    ] == [
        0.0,
        None,
    ]


@dataclass
class Past:
    """Accounts with scores and deals, as the lake has them after identity resolution."""

    tables: dict[str, Any]
    lineage: Lineage = field(default_factory=Lineage)


def deals(make_tables: Any, *days: tuple[int, date]) -> Past:
    """One won expansion each (account number, day)."""
    created = datetime(2026, 1, 5, tzinfo=UTC)
    rows = [
        {
            "account_id": f"a{number}", "crm_id": f"O{number}", "opportunity_type": "Upsell",
            "is_closed": True, "is_won": True, "amount": 100.0, "created_at": created, "known_from": created,
            "closed_at": datetime(day.year, day.month, day.day, 12, tzinfo=UTC),
        }
        for number, day in days
    ]  # fmt: skip
    connection = ibis.duckdb.connect()
    for name, table in make_tables(opportunities=rows).items():
        connection.con.register(name, table.to_pyarrow())
    return Past(tables={"opportunities": connection.table("opportunities")})


@pytest.fixture
def model() -> Any:
    """A model with the bands of its own test."""
    bands = {"accounts": [0, 0, 0, 0, 0, 0, 0, 50, 0, 0], "expanded": [0] * 10, "source": "a test"}
    return SimpleNamespace(target=Target(), facts={"bands": bands})


def test_accounts_like_this_come_from_matured_scores_alone(
    world: Any, score: Score, make_tables: Any, model: Any
) -> None:
    """Not from a scoring whose horizon still runs, one made in hindsight, a pipeline row, or a late deal."""
    matured = [score(n, probability=0.75) for n in range(25)]
    keep(world.store, "old", MAY, table_of(*matured, score(30, probability=0.75, is_pipeline=True)))
    keep(world.store, "hindsight", MAY + timedelta(days=3), table_of(*matured), version="2026.11.01-1")
    keep(world.store, "young", TODAY - timedelta(days=60), table_of(*matured))
    last = MAY + timedelta(days=90)
    past = deals(
        make_tables,
        (1, MAY + timedelta(days=1)),
        (2, last),
        (3, MAY),
        (4, last + timedelta(days=1)),
        (30, last),
    )
    told = with_like_this(world.store, past, table_of(score(1, probability=0.71)), model, TODAY)
    (said,) = told["like_this"].to_pylist()
    assert said["sentence"] == "2 of 25 accounts scored 70–80 % expanded within 90 days (scores of 18 May)"


def test_a_scoring_about_another_target_is_judged_by_that_one_and_likens_to_none_of_this(
    world: Any, score: Score, make_tables: Any, model: Any
) -> None:
    """A horizon of 30 days has ended after 30, and what came on day 40 did not come within it."""
    day = TODAY - timedelta(days=60)
    scored = table_of(*[score(n, probability=0.75) for n in range(25)])
    keep(world.store, "short", day, scored, target=Target(horizon_days=30))
    past: Any = deals(make_tables, (1, day + timedelta(days=9)), (2, day + timedelta(days=40)))
    rows = matured_scores(world.store, past, Target(), TODAY)
    assert len(rows) == 25
    assert [row.account_id for row in rows if row.expanded] == ["a1"]
    told = with_like_this(world.store, past, table_of(score(1, probability=0.71)), model, TODAY)
    assert told["like_this"].to_pylist()[0]["source"] == "a test"


def test_until_scores_have_matured_the_model_speaks_by_its_own_test(
    world: Any, score: Score, make_tables: Any, model: Any
) -> None:
    """And says so; a model without one says nothing."""
    keep(world.store, "young", TODAY - timedelta(days=60), table_of(score(1, probability=0.75)))
    past = deals(make_tables, (1, TODAY))
    told = with_like_this(world.store, past, table_of(score(1, probability=0.71)), model, TODAY)
    assert told["like_this"].to_pylist()[0]["source"] == "a test"
    silent = SimpleNamespace(target=Target(), facts={})
    assert with_like_this(world.store, past, table_of(score(1)), silent, TODAY)["like_this"].null_count == 1


def test_people_are_told_by_id_with_what_they_do_and_who_is_missing(make_tables: Any, score: Score) -> None:
    """Use of the product is that of the user with the same address, on days that were known by then."""
    tables = make_tables(
        contacts=[
            {"account_id": "a1", "crm_id": "C1", "name": "Ann", "role": "champion", "email": "Ann@x.com"},
            {"account_id": "a1", "crm_id": "C2", "name": "Bo", "role": "decision_maker",
             "created_at": datetime(2026, 12, 1, tzinfo=UTC)},
        ],
        users=[{"account_id": "a1", "user_id": "u1", "email": "ann@X.com"}],
    )  # fmt: skip
    day = (TODAY - date(1970, 1, 1)).days
    used = [
        {"account_id": "a1", "user_id": "u1", "at": at, "known": known}
        for at, known in (
            (day - 1, day - 1),
            (day - 1, day - 1),
            (day - 9, day + 2),
            (day - 31, day - 31),
            (day, day),
        )
    ]
    tables["user_day"] = ibis.memtable(pa.Table.from_pylist(used))
    told = with_whom(tables, table_of(score(1), score(2)), TODAY)["whom"].to_pylist()
    assert told[0] == {
        "reach": [{"contact": "C1", "reason": "champion, used the product on 1 of the last 30 days"}],
        "missing": ["economic buyer: none known", "executive sponsor: none known"],
    }
    assert told[1] is None
    assert "Ann" not in str(told)
