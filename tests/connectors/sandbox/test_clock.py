"""The sandbox's own time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connectors.sandbox.clock import Clock, advance, base, set_base
from connectors.sandbox.store import Store

START = datetime(2026, 11, 2, 9, tzinfo=UTC)


class Machine:
    """A monotonic clock that the test turns."""

    seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store whose time stands at START."""
    made = Store.create(tmp_path / "crm.sqlite")
    set_base(made, START)
    return made


def test_time_is_the_base_plus_what_elapsed_since_the_start(store: Store) -> None:
    """The machine's own date plays no part."""
    machine = Machine()
    clock = Clock(store, monotonic=machine)
    machine.seconds += 90
    assert clock.now() == START + timedelta(seconds=90)
    assert clock.stamp() == "2026-11-02T09:01:30.000+0000"


def test_an_advance_by_another_process_moves_a_running_clock(store: Store) -> None:
    """The base is read from the file at every look."""
    clock = Clock(store, monotonic=Machine())
    other = Store.open(store.path)
    advance(other, timedelta(weeks=2))
    other.close()
    assert clock.now() == START + timedelta(weeks=2)


def test_saved_time_is_where_the_next_start_begins(store: Store) -> None:
    """A restart does not go back."""
    machine = Machine()
    clock = Clock(store, monotonic=machine)
    machine.seconds += 60
    clock.save()
    assert base(store) == START + timedelta(seconds=60)
    assert clock.now() == START + timedelta(seconds=60)


def test_time_never_goes_back(store: Store) -> None:
    """Neither by an advance nor by a base that was set earlier."""
    clock = Clock(store, monotonic=Machine())
    assert clock.now() == START
    set_base(store, START - timedelta(days=1))
    assert clock.now() == START
    with pytest.raises(ValueError, match="forward"):
        advance(store, timedelta(days=-1))
