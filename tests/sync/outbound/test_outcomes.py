"""What was said against what happened."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from sqlalchemy import select, update

from model.engine import Engine
from model.target import Target
from sync.outcomes import collect, compare
from sync.settings_tasks import Owners
from sync.store.scores import SCORES, save_scores
from sync.store.tables import RunRow
from sync.store.writeback import OutcomeRow, TaskRow
from sync.task_book import read_book
from sync.task_outcomes import task_outcomes

Score = Callable[..., dict[str, Any]]
TARGET = Target()


def deals(make_tables: Any, *days: tuple[int, date, float]) -> dict[str, Any]:
    """Canonical tables with one won expansion each (account number, day, ARR)."""
    created = datetime(2026, 1, 5, tzinfo=UTC)
    rows = [
        {
            "account_id": f"a{number}",
            "crm_id": f"O{number}{day}",
            "opportunity_type": "Upsell",
            "is_closed": True,
            "is_won": True,
            "amount": arr,
            "created_at": created,
            "known_from": created,
            "closed_at": datetime(day.year, day.month, day.day, 12, tzinfo=UTC),
        }
        for number, day, arr in days
    ]
    accounts = [{"account_id": f"a{n}", "is_customer": True} for n in range(8)]
    connection = Engine().connect()
    for name, table in make_tables(accounts=accounts, opportunities=rows).items():
        connection.con.register(name, table.to_pyarrow())
    return {name: connection.table(name) for name in ("accounts", "opportunities")}


@pytest.fixture
def said(world: Any, score: Score) -> Callable[..., None]:
    """Keep a scoring as of a day in the ledger."""

    def keep(run_id: str, as_of: date, *rows: dict[str, Any]) -> None:
        now = datetime(as_of.year, as_of.month, as_of.day, 20, tzinfo=UTC)
        with world.store.begin() as session:
            run = RunRow(id=run_id, verb="score", started_at=now, status="done", config_hash="x")
            session.add(run)
        table = pa.Table.from_pylist([row | {"as_of": as_of} for row in rows], schema=SCORES)
        save_scores(
            world.store, run_id, table, as_of=as_of, model_version="2026.06.01-1", data_hash="x", now=now
        )

    return keep


def test_an_expansion_is_joined_to_the_score_and_task_before_it(
    world: Any, score: Score, said: Any, make_tables: Any
) -> None:
    """The newest score as of a day before it, within the horizon; collecting twice changes nothing."""
    said("r1", date(2026, 11, 1), score(1, tier="medium"))
    said("r2", date(2026, 11, 22), score(1, tier="high"))
    said("r3", date(2026, 11, 30), score(1, tier="low"))
    world.apply(world.plan(score(1)))
    tables = deals(make_tables, (1, date(2026, 11, 30), 24000.0), (2, date(2026, 11, 29), 5000.0))
    now = datetime(2026, 12, 1, tzinfo=UTC)

    assert collect(tables, world.store, target=TARGET, now=now) == 2
    assert collect(tables, world.store, target=TARGET, now=now + timedelta(days=1)) == 2

    with world.store.session() as session:
        first, second = session.scalars(select(OutcomeRow).order_by(OutcomeRow.account_id)).all()
    assert (first.score_run_id, first.tier, first.arr_added, first.source) == (
        "r2",
        "high",
        24000.0,
        "opportunity",
    )
    assert first.task_key == "a1:expand:FY2026Q4"
    assert first.collected_at == now
    assert (second.score_run_id, second.task_key) == (None, None)


def test_a_deal_that_is_no_longer_won_is_no_outcome(world: Any, make_tables: Any) -> None:
    """The ledger follows the sources."""
    now = datetime(2026, 12, 1, tzinfo=UTC)
    collect(deals(make_tables, (1, date(2026, 11, 30), 1.0)), world.store, target=TARGET, now=now)
    assert collect(deals(make_tables), world.store, target=TARGET, now=now) == 0


def test_a_running_horizon_is_reported_so_far(world: Any, score: Score, said: Any, make_tables: Any) -> None:
    """By tier, with what was expected; calibration waits for the end of the horizon."""
    rows = [
        score(n, tier="high" if n < 3 else "low", probability=0.6 if n < 3 else 0.1, is_pipeline=n == 7)
        for n in range(8)
    ]
    said("r1", date(2026, 11, 1), *rows)
    tables = deals(
        make_tables,
        (0, date(2026, 11, 20), 20000.0),
        (7, date(2026, 11, 21), 9000.0),
        (1, date(2026, 10, 30), 1.0),
    )
    report = compare(tables, world.store, target=TARGET, now=datetime(2026, 12, 1, tzinfo=UTC))

    assert not report.matured
    assert [(t.tier, t.accounts, round(t.predicted, 1), t.expanded) for t in report.tiers] == [
        ("high", 3, 1.8, 1),
        ("low", 4, 0.4, 0),
    ]
    assert (report.pipeline, report.expanded, report.realised_arr) == (1, 1, 20000.0)
    assert report.brier is None
    assert report.auc is not None
    assert report.auc > 0.5
    assert report.value_error == 0.5
    assert "high: 1 of 3 accounts expanded (2 expected in 90 days)" in "\n".join(report.lines())
    assert report.facts()["accounts"] == 7


def test_a_matured_scoring_is_judged_and_preferred(
    world: Any, score: Score, said: Any, make_tables: Any
) -> None:
    """Outcomes after its horizon do not count for it."""
    said("r1", date(2026, 6, 1), score(1, probability=0.8), score(2, probability=0.2))
    said("r2", date(2026, 11, 1), score(1), score(2))
    tables = deals(make_tables, (1, date(2026, 7, 1), 20000.0), (2, date(2026, 11, 20), 20000.0))
    now = datetime(2026, 12, 1, tzinfo=UTC)

    report = compare(tables, world.store, target=TARGET, now=now)

    assert (report.run_id, report.matured, report.expanded) == ("r1", True, 1)
    assert report.brier == pytest.approx(0.04)
    assert report.auc == 1.0
    assert compare(tables, world.store, target=TARGET, now=now, as_of=date(2026, 11, 1)).run_id == "r2"


def test_without_scores_the_report_says_so(world: Any, make_tables: Any) -> None:
    """No figure is invented."""
    report = compare(deals(make_tables), world.store, target=TARGET, now=datetime(2026, 12, 1, tzinfo=UTC))
    assert report.as_of is None
    assert report.lines() == ["Nothing was scored before today, so there is nothing to compare."]


def test_nothing_comes_of_no_tasks(world: Any) -> None:
    """No line at all."""
    assert task_outcomes(world.store) == ()


def test_tasks_are_counted_by_play_and_style_with_what_followed(
    world: Any, score: Score, make_settings: Callable[..., Any], make_tables: Any
) -> None:
    """An expansion counts for the task before it, an outcome as it was picked; what we closed is dropped."""
    world.settings = make_settings(owners=Owners(slots_per_week=9))
    rows = [score(n, health="yellow" if n == 4 else "green") for n in range(5)]
    world.apply(world.plan(*rows))
    keys = sorted(world.crm.tasks)
    with world.store.begin() as session:
        session.execute(update(TaskRow).where(TaskRow.key == keys[3]).values(style="brisk"))
    world.now += timedelta(days=4)
    world.apply(world.plan(*(score(n, is_pipeline=n == 2) for n in range(3))))
    world.crm.work_on_task(keys[0], closed=True, outcome="accepted")
    world.crm.work_on_task(keys[1], closed=True)
    read_book(world.store, world.crm, now=world.now)
    tables = deals(make_tables, (0, date(2026, 12, 7), 9_000.0), (3, date(2026, 12, 7), 9_000.0))
    assert collect(tables, world.store, target=TARGET, now=world.now + timedelta(days=20)) == 2

    plain, brisk, nurture = sorted(task_outcomes(world.store), key=lambda each: (each.play, -each.tasks))
    assert (plain.play, plain.style, plain.writer) == ("expand", "plain", "template")
    assert (plain.tasks, plain.open, plain.dropped, plain.expanded) == (3, 0, 1, 1)
    assert plain.outcomes == {"accepted": 1, "done": 1}
    assert (plain.arr_added, plain.value) == (9_000.0, round(3 * 21_000.555, 2))
    assert round(plain.converted, 3) == 0.333
    assert (brisk.style, brisk.tasks, brisk.open, brisk.expanded) == ("brisk", 1, 1, 1)
    assert (nurture.play, nurture.tasks, nurture.outcomes, nurture.expanded) == ("nurture", 1, {}, 0)
