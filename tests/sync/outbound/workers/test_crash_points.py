"""A worker that is killed at any commit or call leaves nothing undone, and nothing done twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

FAULTS: dict[str, Sequence[str]] = {
    "a good day": (),
    "lost replies": ("lost_after", "lost_before", "none", "late 4", "lost_after", "away"),
}


@pytest.mark.parametrize("faults", FAULTS)
def test_a_kill_at_any_step_is_made_good_by_the_next_worker(
    world: Any,
    score: Callable[..., dict[str, Any]],
    ledger_url: str,
    make_crew: Callable[..., Any],
    database: str,
    faults: str,
) -> None:
    """Before the claim, after its commit, before the call, behind the write, before the outcome: each."""
    seen: set[str] = set()
    # the steps are the same on both; the server is slower, and a bad day is long
    every = (1 if database == "sqlite" else 7) * (3 if FAULTS[faults] else 1)
    world.crm.capabilities = replace(world.crm.capabilities, write_batch=2)
    with make_crew(world, ledger_url, *(score(n) for n in range(3))) as crew:
        for kill_at in range(0, 10_000, every):
            crew.reset()
            crew.start()
            crew.wire.faults = list(FAULTS[faults])
            victim = crew.hire()
            for _ in range(kill_at):
                if victim.turns.ended or victim.step() == "idle":
                    world.machine.sleep(4)
            over = victim.turns.ended
            seen.add(victim.turns.at)
            victim.kill()
            assert victim.errors == []
            assert crew.finish() == "applied"
            crew.check()
            assert {row.outcome for row in crew.rows()} == {"applied"}
            if over:
                break
    assert seen >= ({"begin", "committed", "read", "write", "find"} if every == 1 else set())
