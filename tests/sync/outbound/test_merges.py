"""What was said of a record that was merged away is its survivor's: history, task, outcome."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pytest
from sqlalchemy import select

from model.engine import Engine
from model.target import Target
from sync.lineage import Lineage
from sync.outcomes import collect, compare
from sync.score_history import score_before
from sync.store.scores import SCORES, save_scores
from sync.store.tables import RunRow
from sync.store.writeback import OutcomeRow

Score = Callable[..., dict[str, Any]]
Said = Callable[..., None]
NOW = datetime(2026, 12, 1, tzinfo=UTC)
JOINED = Lineage.of({"0011": "a2", "0012": "a2"})
"""Record 0011, once account a1, was merged into 0012."""


@pytest.fixture
def said(world: Any) -> Said:
    """Keep a scoring as of a day in the ledger."""

    def keep(run_id: str, as_of: date, *rows: Mapping[str, Any]) -> None:
        at = datetime(as_of.year, as_of.month, as_of.day, 20, tzinfo=UTC)
        with world.store.begin() as session:
            session.add(RunRow(id=run_id, verb="score", started_at=at, status="done", config_hash="x"))
        table = pa.Table.from_pylist([{**row, "as_of": as_of} for row in rows], schema=SCORES)
        version = f"{as_of:%Y.%m.%d}-1"
        save_scores(world.store, run_id, table, as_of=as_of, model_version=version, data_hash="x", now=at)

    return keep


@pytest.fixture
def expanded(make_tables: Any) -> Mapping[str, Any]:
    """Canonical tables in which a2 alone is an account, and expanded on 20 November."""
    deal = {
        "account_id": "a2", "crm_id": "O1", "opportunity_type": "Upsell", "is_closed": True, "is_won": True,
        "amount": 9000.0, "created_at": datetime(2026, 1, 5, tzinfo=UTC),
        "known_from": datetime(2026, 1, 5, tzinfo=UTC), "closed_at": datetime(2026, 11, 20, 12, tzinfo=UTC),
    }  # fmt: skip
    connection = Engine().connect()
    made = make_tables(accounts=[{"account_id": "a2", "is_customer": True}], opportunities=[deal])
    for name, table in made.items():
        connection.con.register(name, table.to_pyarrow())
    return {name: connection.table(name) for name in made}


def reasons(plan: Any) -> list[str]:
    """Why accounts got no task."""
    return [skip.reason.value for skip in plan.skips if skip.subject == "task"]


def test_a_merged_account_s_task_is_its_survivor_s(world: Any, score: Score) -> None:
    """The CRM has moved it there: the survivor gets no second one in that quarter."""
    world.apply(world.plan(score(1)))
    assert reasons(world.plan(score(2))) == []
    world.lineage = JOINED
    plan = world.plan(score(2))
    assert (plan.tasks, reasons(plan)) == ((), ["task_exists"])


def test_an_account_whose_record_has_another_id_now_keeps_its_task(world: Any, score: Score) -> None:
    """In HubSpot each merge makes a new record, and an account without an own id goes by its record's."""
    world.apply(world.plan(score(1)))
    world.crm.records["0019"] = {}
    world.lineage = Lineage.of({"0011": "a3", "0019": "a3"})
    assert reasons(world.plan(score(3, crm_id="0019"))) == ["task_exists"]


def test_merged_accounts_have_not_vanished(world: Any, score: Score, said: Said) -> None:
    """Twenty-two records that became eleven are no lost export; as many that are simply gone are one."""
    said("r1", date(2026, 11, 1), *(score(n) for n in range(22)))
    now = [score(n, crm_id=f"009{n}") for n in range(0, 22, 2)]
    assert "vanished_share" in {finding.rule for finding in world.plan(*now).findings}
    became = {f"001{n}": f"a{n - n % 2}" for n in range(22)}
    world.lineage = Lineage.of(became | {row["crm_id"]: row["account_id"] for row in now})
    assert "vanished_share" not in {finding.rule for finding in world.plan(*now).findings}


def test_the_score_before_is_that_of_any_record_that_the_account_has_been(
    world: Any, score: Score, said: Said
) -> None:
    """Its own id's where both were scored, else the merged one's; a stranger's never."""
    said("r1", date(2026, 10, 1), score(1, probability=0.5), score(3))
    assert score_before(world.store, "a2", date(2026, 11, 1), Lineage()) is None
    before = score_before(world.store, "a2", date(2026, 11, 1), JOINED)
    assert before is not None
    assert (before["account_id"], before["probability"]) == ("a1", 0.5)
    said("r2", date(2026, 10, 8), score(1, probability=0.9), score(2, probability=0.2))
    before = score_before(world.store, "a2", date(2026, 11, 1), JOINED)
    assert before is not None
    assert (before["account_id"], before["probability"]) == ("a2", 0.2)


def test_an_expansion_belongs_to_the_score_and_task_of_the_merged_record(
    world: Any, score: Score, said: Said, expanded: Mapping[str, Any]
) -> None:
    """Said of a1 before the merge, bought by a2 after it."""
    said("r1", date(2026, 11, 1), score(1, tier="medium"))
    world.now = datetime(2026, 11, 15, 12, tzinfo=UTC)
    world.apply(world.plan(score(1)))
    collect(expanded, world.store, target=Target(), now=NOW, lineage=JOINED)
    with world.store.session() as session:
        (outcome,) = session.scalars(select(OutcomeRow)).all()
    assert (outcome.account_id, outcome.score_run_id, outcome.tier) == ("a2", "r1", "medium")
    assert outcome.task_key == "a1:expand:FY2026Q4"


@pytest.mark.parametrize("scored", [(1,), (1, 2)])
def test_merged_accounts_are_judged_once(
    world: Any, score: Score, said: Said, expanded: Mapping[str, Any], scored: tuple[int, ...]
) -> None:
    """As the account that they are now, by its own score where it had one: a hit, not a hit and a miss."""
    said("r1", date(2026, 11, 1), *(score(n, probability=0.8 / n) for n in scored))
    report = compare(expanded, world.store, target=Target(), now=NOW, lineage=JOINED)
    assert [(tier.accounts, tier.expanded) for tier in report.tiers] == [(1, 1)]
    assert report.tiers[0].predicted == pytest.approx(0.8 if scored == (1,) else 0.4)
    assert (report.unscored, report.realised_arr) == (0, 9000.0)
