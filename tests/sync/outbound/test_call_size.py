"""Write calls that take long bear fewer rows, so that none is given up while the CRM is still at it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from connectors.crm import Change
from connectors.errors import AmbiguousError
from sync.call_size import CallSize


def size(rows: int = 1000) -> CallSize:
    """Of calls that are given up after a minute."""
    return CallSize(most=1000, longest=timedelta(seconds=60), rows=rows)


def test_a_slow_call_halves_the_next_and_a_quick_one_doubles_it() -> None:
    """Never more than the CRM takes, never none; what is in between leaves it as it is."""
    calls = size()
    for seconds, rows in ((20, 500), (16, 250), (10, 250), (3, 500), (3, 1000), (0, 1000)):
        calls.note(timedelta(seconds=seconds))
        assert calls.rows == rows
    calls = size(rows=1)
    calls.note(timedelta(seconds=60))
    assert calls.rows == 1


def test_calls_to_a_slow_crm_shrink_and_grow_again(world: Any, score: Callable[..., Any]) -> None:
    """Each takes a third of a second a record, the last ones next to nothing."""
    world.crm.records = {f"001{n}": {} for n in range(200)}
    world.crm.capabilities = replace(world.crm.capabilities, write_batch=100, read_batch=200)
    sizes: list[int] = []
    write = world.crm.write

    def slow(changes: Sequence[Change]) -> Any:
        sizes.append(len(changes))
        world.machine.sleep(len(changes) / 3 if sum(sizes) < 150 else 0)
        return write(changes)

    world.crm.write = slow
    report = world.apply(world.plan(*(score(n, tier="low", probability=0.5) for n in range(200))))
    assert report.outcomes == {"applied": 200}
    assert sizes == [20, 100, 50, 30]


def test_a_call_that_was_given_up_halves_the_next(world: Any, score: Callable[..., Any]) -> None:
    """Its reply was lost after a minute: looked for first, then sent again in smaller calls."""
    world.crm.records = {f"001{n}": {} for n in range(120)}
    world.crm.capabilities = replace(world.crm.capabilities, write_batch=100, read_batch=200)
    sizes: list[int] = []
    write = world.crm.write

    def given_up(changes: Sequence[Change]) -> Any:
        sizes.append(len(changes))
        if len(changes) == 100:
            world.machine.sleep(60)
            raise AmbiguousError("no reply in time")
        return write(changes)

    world.crm.write = given_up
    report = world.apply(world.plan(*(score(n, tier="low", probability=0.5) for n in range(120))))
    assert report.outcomes == {"applied": 120}
    assert sizes == [20, 100, 50, 50]
