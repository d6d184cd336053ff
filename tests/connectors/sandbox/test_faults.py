"""Which requests a fault rule strikes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from connectors.sandbox.faults import FaultRule, Faults


def strikes(faults: Faults, times: int, endpoint: str = "query", method: str = "GET") -> list[bool]:
    """Whether each of so many requests is struck."""
    return [bool(faults.strike(endpoint=endpoint, method=method, path="/x")) for _ in range(times)]


def test_a_rule_strikes_exactly_the_numbered_requests() -> None:
    """Only requests that the rule is about are counted."""
    faults = Faults(rules=[FaultRule(kind="status", endpoint="query", request=(2, 4))])
    assert strikes(faults, 1) == [False]
    assert strikes(faults, 3, endpoint="describe") == [False] * 3
    assert strikes(faults, 4) == [True, False, True, False]


def test_a_probability_strikes_the_same_requests_at_each_run() -> None:
    """About the right share of them, decided by the seed."""
    runs = [
        strikes(Faults(rules=[FaultRule(kind="status", probability=0.3, seed=seed)]), 400)
        for seed in (1, 1, 2)
    ]
    assert runs[0] == runs[1] != runs[2]
    assert 80 < sum(runs[0]) < 160


def test_times_ends_a_rule() -> None:
    """After so many strikes the endpoint is well again."""
    assert strikes(Faults(rules=[FaultRule(kind="status", times=2)]), 4) == [True, True, False, False]


def test_glob_and_method_choose_the_endpoint() -> None:
    """collections.* with PATCH leaves a POST alone."""
    faults = Faults(rules=[FaultRule(kind="status", endpoint="collections.*", method="PATCH")])
    assert strikes(faults, 1, endpoint="collections.update", method="PATCH") == [True]
    assert strikes(faults, 1, endpoint="collections.create", method="POST") == [False]


def test_a_rule_can_be_about_the_requests_that_write_one_record() -> None:
    """Wherever that record comes in the run."""
    faults = Faults(rules=[FaultRule(kind="status", carries="b", request=(1,))])
    struck = [
        bool(faults.strike(endpoint="x", method="PATCH", path="/x", ids=ids))
        for ids in ((), ("a",), ("a", "b"), ("b",))
    ]
    assert struck == [False, False, True, False]


def test_a_lock_holds_a_share_of_the_rows_or_the_named_ones() -> None:
    """The same rows each time."""
    rule = FaultRule(kind="lock", share=0.25, seed=3)
    held = [rule.locks(i, f"id{i}") for i in range(400)]
    assert held == [rule.locks(i, f"id{i}") for i in range(400)]
    assert 60 < sum(held) < 140
    assert FaultRule(kind="lock", ids=("b",)).locks(7, "b")
    assert not FaultRule(kind="lock", ids=("b",)).locks(7, "a")


def test_the_file_is_read_again_when_it_changes(tmp_path: Path) -> None:
    """Removing it ends all faults."""
    file = tmp_path / "faults.json"
    faults = Faults(file)
    assert strikes(faults, 1) == [False]
    file.write_text(json.dumps([{"kind": "status", "endpoint": "query", "status": 500}]))
    assert strikes(faults, 1) == [True]
    file.write_text("[]")
    assert strikes(faults, 1) == [False]
    file.write_text(json.dumps([{"kind": "edit", "edit": {"object": "A", "id": "1", "values": {"N": 1}}}]))
    assert strikes(faults, 1) == [True]
    file.unlink()
    assert strikes(faults, 1) == [False]


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ({"kind": "explode"}, "explode"),
        ({"kind": "edit"}, "edit"),
        ({"kind": "status", "probabilty": 0.1}, "probabilty"),
    ],
)
def test_a_rule_that_can_never_strike_is_refused_by_name(entry: dict[str, object], says: str) -> None:
    """A misspelt rule must not look like a healthy org."""
    with pytest.raises(ValueError, match=says):
        FaultRule.parse(entry)
