"""Ranges of a scoring: who scores which rows, and whose file counts."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from connectors.errors import StateError
from sync.ranges import (
    MAX_CLAIMS,
    Range,
    claim_range,
    keep_range,
    plan_ranges,
    range_files,
    ranges_left,
    renew_range,
    reopen_range,
)
from sync.store import Store
from sync.store.runs import start_run

LEASE = timedelta(minutes=1)


@pytest.fixture
def run(ledger: Store, noon: datetime) -> str:
    """A run whose seven rows are cut into ranges of three."""
    run_id = start_run(ledger, "score", config_hash="c", now=noon)
    assert plan_ranges(ledger, run_id, rows=7, size=3) == 3
    return run_id


def take(store: Store, run: str, owner: str, now: datetime) -> Range | None:
    """The next range for the owner."""
    return claim_range(store, run, owner, now=now, lease=LEASE)


def keep(store: Store, held: Range | None, now: datetime, path: str = "file") -> bool:
    """Keep a file for the range."""
    assert held is not None
    return keep_range(store, held, process="host:1", path=path, sha256="s", now=now)


def test_ranges_cover_every_row_once_and_the_last_is_what_is_left(
    ledger: Store, noon: datetime, run: str
) -> None:
    """Each goes to one process."""
    taken = [take(ledger, run, owner, noon) for owner in ("a", "b", "a", "b")]
    assert [(each.first, each.rows) for each in taken if each is not None] == [(0, 3), (3, 3), (6, 1)]
    assert taken[3] is None
    assert ranges_left(ledger, run) == 3


def test_a_range_whose_process_died_is_scored_by_another_and_counts_once(
    ledger: Store, noon: datetime, run: str
) -> None:
    """The first one's file, should it still come, is not taken."""
    late = take(ledger, run, "a", noon)
    assert late is not None
    assert renew_range(ledger, late, noon + 2 * LEASE)
    second = take(ledger, run, "b", noon + LEASE)
    assert second is not None
    assert second.first == 3
    again = take(ledger, run, "b", noon + 2 * LEASE)
    assert again is not None
    assert (again.first, again.fence) == (0, 2)
    assert keep(ledger, again, noon, "right")
    assert not keep(ledger, late, noon, "late")
    assert not renew_range(ledger, late, noon)
    assert [file.path for file in range_files(ledger, run)] == ["right"]


def test_the_same_process_claiming_again_outdates_its_own_earlier_claim(
    ledger: Store, noon: datetime, run: str
) -> None:
    """The fence counts claims, not processes."""
    first = take(ledger, run, "a", noon)
    assert take(ledger, run, "a", noon + LEASE) is not None
    assert not keep(ledger, first, noon)


def test_a_range_whose_file_is_gone_is_scored_again(ledger: Store, noon: datetime, run: str) -> None:
    """It is then the next to be claimed."""
    keep(ledger, take(ledger, run, "a", noon), noon)
    reopen_range(ledger, run, 1)
    assert range_files(ledger, run) == []
    again = take(ledger, run, "a", noon)
    assert again is not None
    assert again.position == 1


def test_a_range_that_takes_its_process_down_each_time_is_told(
    ledger: Store, noon: datetime, run: str
) -> None:
    """The accounts are named by number, and nothing goes round in circles."""
    for turn in range(MAX_CLAIMS):
        assert take(ledger, run, "a", noon + turn * LEASE) is not None
    with pytest.raises(StateError, match="3 accounts from number 1 on"):
        take(ledger, run, "a", noon + MAX_CLAIMS * LEASE)


def test_a_clock_that_was_set_back_holds_no_range_for_the_time_that_was(
    ledger: Store, noon: datetime, run: str
) -> None:
    """A lease of a day to come is cut to one from now on."""
    for _ in range(3):
        take(ledger, run, "a", noon + timedelta(days=1))
    assert take(ledger, run, "b", noon) is None
    assert take(ledger, run, "b", noon + LEASE) is not None


def test_cutting_again_begins_anew(ledger: Store, noon: datetime, run: str) -> None:
    """Whoever opens a scoring again has written the rows again."""
    keep(ledger, take(ledger, run, "a", noon), noon)
    assert plan_ranges(ledger, run, rows=2, size=5) == 1
    assert (ranges_left(ledger, run), range_files(ledger, run)) == (1, [])
