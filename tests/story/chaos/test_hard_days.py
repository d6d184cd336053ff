"""Disk full, ledger away, clock set back, two time zones: nothing is sent unknown to the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from connectors.errors import StateError
from infra.chaos.company import Org
from infra.chaos.crashes import LATER, go_on, start
from infra.chaos.home import Home, at_home
from infra.chaos.nursery import Nursery
from sync.store import Store
from sync.store.journal_key import JournalKey


def sent_unknown_to_the_ledger(home: Home) -> set[str]:
    """Records that the CRM was sent, and whose operation was never sent if one believes the ledger."""
    evidence = home.evidence()
    sent = {row.id for row in evidence.rows}
    unsent = {op.record_id for op in evidence.operations if op.requests == 0 and op.kind == "write"}
    return sent & unsent


@pytest.mark.parametrize("pages", [1, 6, 12, 20])
def test_a_full_disk_stops_the_apply_and_nothing_is_lost(home: Home, nursery: Nursery, pages: int) -> None:
    """Wherever in the apply it comes; with room again another process goes on."""
    plan = home.plan()
    full = start(home, nursery, "apply_plan", plan_id=plan.id, holder="run", pages=pages)
    assert full.wait(120) == 1
    assert "full" in full.said()
    assert sent_unknown_to_the_ledger(home) == set()
    after = start(home, nursery, "apply_plan", plan_id=plan.id, holder="run", ahead=LATER)
    assert after.wait(120) == 0, after.said()
    assert home.violations() == []


@pytest.mark.parametrize("hours", [-2, -200])
def test_a_clock_that_is_set_back_holds_nothing_up(home: Home, nursery: Nursery, hours: int) -> None:
    """Neither a lease nor a lock waits for a time that has been."""
    ahead = -3600.0 * hours
    found = go_on(home, nursery, point="after_call", nth=2, first={"ahead": ahead}, second={"ahead": 0.0})
    assert found == []


def test_two_machines_in_two_time_zones_agree(home: Home, nursery: Nursery) -> None:
    """On what is due and whose lease has ended."""
    zones = [{"timezone": zone} for zone in ("Pacific/Kiritimati", "America/St_Johns")]
    assert go_on(home, nursery, point="after_sending", nth=2, first=zones[0], second=zones[1]) == []


@contextmanager
def on_postgresql(home: Home, url: str) -> Iterator[Home]:
    """The same home with its ledger on a server."""
    with Store.open(url, journal_key=JournalKey(secret="a key for tests")) as store:
        home.store = store
        yield home


def test_a_ledger_that_goes_away_during_a_call(
    small_org: Org, ledger_file: Path, tmp_path: Path, postgres: Any
) -> None:
    """The call was announced before it was made; when the ledger is back its outcome is found out."""
    with (
        at_home(tmp_path, small_org, ledger_file, write_batch=25) as opened,
        postgres.database() as name,
        on_postgresql(opened, postgres.url(name)) as home,
    ):
        plan = home.plan()
        real = home.crm.write

        def cut_off(*arguments: Any) -> Any:
            home.crm.write = real  # type: ignore[method-assign]
            result = real(*arguments)
            postgres.execute("ALTER DATABASE {} ALLOW_CONNECTIONS false", name)
            home.store.engine.dispose()
            return result

        home.crm.write = cut_off  # type: ignore[method-assign]
        with pytest.raises(StateError, match="away"):
            home.apply(plan.id, holder="run")
        postgres.execute("ALTER DATABASE {} ALLOW_CONNECTIONS true", name)
        assert sent_unknown_to_the_ledger(home) == set()
        assert {op.state for op in home.evidence().operations} == {"sending", "planned"}
        home.apply(plan.id, holder="run")
        assert home.violations() == []
