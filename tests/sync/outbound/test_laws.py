"""Laws that hold for any scores and any records: plan, apply, plan again; apply, roll back."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from copy import deepcopy
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sync.store import Store

TEXT = st.text(max_size=300)
CELLS = st.fixed_dictionaries(
    {
        "probability": st.floats(0, 1),
        "tier": st.sampled_from(["very_high", "high", "medium", "low", "not_enough_data"]),
        "expected_arr": st.one_of(st.none(), st.floats(0, 1e9)),
        "arr_low": st.one_of(st.none(), st.floats(0, 1e9)),
        "timing": st.sampled_from(["now", "d30", "d90", "hold"]),
        "health": st.sampled_from(["green", "yellow", "red", "unknown"]),
        "is_pipeline": st.booleans(),
        "product": st.one_of(st.none(), st.just("seats"), TEXT),
        "reasons": st.lists(
            st.fixed_dictionaries(
                {"code": st.just("c"), "family": st.just("f"), "share": st.just(50.0), "sentence": TEXT}
            ),
            max_size=3,
        ),
    }
)
HELD = st.fixed_dictionaries(
    {},
    optional={
        "Expansion_Score__c": st.integers(0, 100),
        "Expansion_Tier__c": st.sampled_from(["high", "low"]),
        "Expansion_Reason_1__c": st.text(min_size=1, max_size=255),
        "Expansion_Expected_ARR__c": st.floats(0, 1e6),
        "Expansion_Opt_Out__c": st.booleans(),
        "Expansion_Status__c": st.sampled_from(["open", "in_talks"]),
    },
)


@settings(
    derandomize=True,
    deadline=None,
    max_examples=15,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(st.tuples(CELLS, HELD), min_size=1, max_size=7))
def test_apply_completes_a_plan_and_rollback_undoes_it(
    world: Any,
    score: Callable[..., dict[str, Any]],
    new_ledger: Callable[[str], AbstractContextManager[str]],
    database: str,
    accounts: list[tuple[dict[str, Any], dict[str, Any]]],
) -> None:
    """A plan after apply is empty; rollback after apply leaves every cell as it was."""
    with new_ledger(database) as url, Store.open(url) as store:
        world.store, world.crm.tasks = store, {}
        world.crm.records = {f"001{n}": dict(held) for n, (_, held) in enumerate(accounts)}
        before = deepcopy(world.crm.records)
        rows = [score(n, **cells) for n, (cells, _) in enumerate(accounts)]

        plan = world.plan(*rows)
        report = world.apply(plan)
        assert report.written_cells == plan.cells
        assert report.is_complete
        assert world.plan(*rows).is_empty

        world.rollback(plan.id)
        held = world.crm.records.items()
        assert {i: {n: v for n, v in cells.items() if v is not None} for i, cells in held} == before
