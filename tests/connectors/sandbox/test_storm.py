"""The share of writes that a storm strikes."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from connectors.sandbox.faults import FaultRule, Faults
from connectors.sandbox.storm import as_entries, storm

UPDATE = {"salesforce": "collections.update", "hubspot": "companies.batch.update"}
CREATE = {"salesforce": "collections.create", "hubspot": "tasks.batch.create"}
READ = {"salesforce": "collections.read", "hubspot": "companies.batch.read"}


def kinds(faults: Faults, endpoint: str, times: int) -> list[str]:
    """What strikes each of so many requests; "" for nothing."""
    struck = (faults.strike(endpoint=endpoint, method="POST", path="/x") for _ in range(times))
    return ["+".join(f"{rule.kind} {rule.status}" for rule in rules) for rules in struck]


@pytest.mark.parametrize("dialect", ["salesforce", "hubspot"])
def test_a_storm_strikes_its_share_of_the_writes_with_one_fault_each(dialect: str) -> None:
    """All five kinds in about equal parts, reads never."""
    faults = Faults(rules=storm(dialect, seed=7))
    found = Counter(kinds(faults, UPDATE[dialect], 1000) + kinds(faults, CREATE[dialect], 1000))
    assert 0.30 < 1 - found.pop("") / 2000 < 0.38
    assert len(found) == 5
    assert not [kind for kind in found if "+" in kind]
    assert min(found.values()) > 90
    assert set(kinds(faults, READ[dialect], 100)) == {""}


@pytest.mark.parametrize("dialect", ["salesforce", "hubspot"])
def test_a_storm_is_the_same_for_one_seed_also_by_way_of_a_file(dialect: str, tmp_path: Path) -> None:
    """So that a run can be repeated, in the process or out of it."""
    file = tmp_path / "faults.json"
    file.write_text(json.dumps(as_entries(storm(dialect, seed=3, quota=5))))
    by_file = kinds(Faults(file), UPDATE[dialect], 200)
    assert by_file == kinds(Faults(rules=storm(dialect, seed=3, quota=5)), UPDATE[dialect], 200)
    assert by_file != kinds(Faults(rules=storm(dialect, seed=4, quota=5)), UPDATE[dialect], 200)


def test_a_chance_above_its_own_end_is_refused() -> None:
    """Such a rule would never strike."""
    with pytest.raises(ValueError, match="above"):
        FaultRule(kind="status", above=0.5, probability=0.5)


def test_globs_may_be_joined() -> None:
    """One rule, several endpoints, one count."""
    faults = Faults(rules=[FaultRule(kind="status", endpoint="query|collections.*", request=(2,))])
    struck = [
        bool(faults.strike(endpoint=endpoint, method="GET", path="/x"))
        for endpoint in ("query", "describe", "collections.update", "query")
    ]
    assert struck == [False, False, True, False]
