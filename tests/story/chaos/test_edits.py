"""A thousand people edit while we write: what each of them wrote is there afterwards, and is shown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.sandbox.clock import advance
from connectors.sandbox.faults import Edit, FaultRule
from infra.chaos.company import Org, make_org
from infra.chaos.home import Home, at_home

EDITED, IN_THE_WINDOW, LEFT_ALONE = 1_000, 200, 100
ACCOUNTS = EDITED + LEFT_ALONE
OURS = {"salesforce": "Expansion_Reason_1__c", "hubspot": "expansion_reason_1"}
WRITES = {"salesforce": "composite|collections.update", "hubspot": "companies.batch.update"}


def opened(stack: ExitStack, folder: Path, org: Org, ledger: Path, **settings: object) -> Home:
    """The org a day after it was made, so that nothing in it was changed just now."""
    home = stack.enter_context(at_home(folder, org, ledger, **settings))
    home.let_pass(days=1)
    home.clock.slept = lambda seconds: advance(home.sandbox.store, timedelta(seconds=seconds))
    return home


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """Closes what a test opened."""
    with ExitStack() as made:
        yield made


def word(position: int) -> str:
    """What a person writes into our field."""
    return f"Person {position} knows better"


def edited_before(home: Home, positions: Sequence[int]) -> None:
    """People who were quicker than our reading."""
    with home.sandbox.store.transaction():
        for position in positions:
            home.edit_here(position, {OURS[home.org.kind]: word(position)})


def edited_in_the_window(home: Home, positions: Sequence[int]) -> None:
    """People whose edit comes when we have read the record, and our write is under way."""
    org = home.org
    home.sandbox.faults.replace(
        [
            FaultRule(
                kind="edit",
                endpoint=WRITES[org.kind],
                carries=org.ids[position],
                times=1,
                edit=Edit(object=org.object, id=org.ids[position], values={OURS[org.kind]: word(position)}),
            )
            for position in positions
        ]
    )


def kept(home: Home, positions: Sequence[int]) -> int:
    """How many of them find their own words."""
    held = home.crm.read(home.org.object, [home.org.ids[each] for each in positions], [OURS[home.org.kind]])
    ours = OURS[home.org.kind]
    return sum(held[home.org.ids[each]].values[ours] == word(each) for each in positions)


@pytest.mark.slow
def test_a_thousand_edits_are_kept_where_the_platform_takes_a_condition(
    stack: ExitStack, tmp_path: Path, ledger_file: Path
) -> None:
    """Two hundred came between our reading and our writing; all are conflicts, and the rest is written."""
    made = make_org(tmp_path / "made", "salesforce", accounts=ACCOUNTS, seed=1)
    home = opened(stack, tmp_path, made, ledger_file, salesforce__conditional_writes=True)
    plan = home.plan(writes=ACCOUNTS, tasks=0)
    everybody, quick = range(EDITED), range(IN_THE_WINDOW, EDITED)
    edited_before(home, quick)
    edited_in_the_window(home, range(IN_THE_WINDOW))

    report = home.apply(plan.id)

    assert report.outcomes == {"conflict": EDITED, "applied": LEFT_ALONE}
    assert kept(home, everybody) == EDITED
    assert home.violations() == []
    shown = {row.record_id for row in report.rejected}
    assert shown == {home.org.ids[each] for each in everybody}


@pytest.mark.parametrize("way", ["salesforce", "salesforce job", "hubspot"])
def test_an_edit_before_our_reading_is_kept_on_either_platform(
    stack: ExitStack, tmp_path: Path, ledger_file: Path, way: str
) -> None:
    """Compared, left alone and shown; what stays open is the time between our reading and the writing."""
    kind, _, by_job = way.partition(" ")
    made = make_org(tmp_path / "made", kind, accounts=100, seed=1)
    home = opened(stack, tmp_path, made, ledger_file)
    if by_job:  # as if it were worth its calls for so few
        home.crm.capabilities = replace(home.crm.capabilities, write_batch=10)
    plan = home.plan(writes=100, tasks=0)
    edited_before(home, range(80))
    report = home.apply(plan.id)
    assert report.outcomes == {"conflict": 80, "applied": 20}
    assert {row.record_id for row in report.rejected} == set(home.org.ids[:80])
    assert kept(home, range(80)) == 80
    assert home.violations() == []
    jobs = [each for each in home.sandbox.audit.requests() if each.endpoint == "ingest.close"]
    assert len(jobs) == bool(by_job)


def test_an_edit_of_something_else_does_not_stop_us(
    stack: ExitStack, tmp_path: Path, small_org: Org, ledger_file: Path
) -> None:
    """A record that moved since it was read is read again, and written when our cells are as planned."""
    home = opened(stack, tmp_path, small_org, ledger_file, salesforce__conditional_writes=True)
    plan = home.plan(writes=45, tasks=0)
    rules: list[Any] = [
        FaultRule(
            kind="edit",
            endpoint="composite",
            carries=home.org.ids[position],
            times=1,
            edit=Edit(object="Account", id=home.org.ids[position], values={"Phone": "555"}),
        )
        for position in range(10)
    ]
    home.sandbox.faults.replace(rules)
    assert home.apply(plan.id).outcomes == {"applied": 45}
    assert home.violations() == []
