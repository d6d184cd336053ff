"""The company is the same for the same arguments, whenever and however often its weeks are revealed."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from connectors.sandbox.company import advance, generate


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_the_same_arguments_give_the_same_bytes(tmp_path: Path) -> None:
    """Two companies of one seed do not differ in a byte."""
    for name in ("a", "b"):
        generate(tmp_path / name, accounts=60, months=4, seed=5)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_another_seed_is_another_company(tmp_path: Path) -> None:
    """The seed decides who is who."""
    for seed in (1, 2):
        generate(tmp_path / str(seed), accounts=30, months=3, seed=seed)
    names = [tmp_path / str(seed) / "crm" / "accounts.parquet" for seed in (1, 2)]
    assert names[0].read_bytes() != names[1].read_bytes()


def test_two_single_weeks_are_one_step_of_two_weeks(tmp_path: Path) -> None:
    """What happens does not depend on how often it is looked at."""
    for name, steps in (("a", (1, 1)), ("b", (2,))):
        generate(tmp_path / name, accounts=40, months=3, seed=9)
        for weeks in steps:
            advance(tmp_path / name, weeks)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_a_month_that_is_over_keeps_its_files(tmp_path: Path) -> None:
    """Moving on adds to the current month and leaves the files of earlier ones alone."""
    generate(tmp_path, accounts=60, months=4, seed=2)
    before = contents(tmp_path / "exports")
    advance(tmp_path, 3)
    after = contents(tmp_path / "exports")
    earlier = [name for name in before if "-2026-1" not in name and name.count("/") == 1]
    assert len(earlier) >= 6
    assert [name for name in earlier if before[name] != after[name]] == []
    current = "events/events-2026-11.parquet"
    assert after[current] != before[current]


def test_the_clock_moves_with_the_weeks(tmp_path: Path) -> None:
    """The company stands at Monday 09:00 UTC, and later by the weeks that were asked for."""
    started = generate(tmp_path, accounts=20, months=2)
    assert started.now.isoformat() == "2026-11-02T09:00:00+00:00"
    assert advance(tmp_path, 4).now.isoformat() == "2026-11-30T09:00:00+00:00"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"accounts": 0}, "1 account"),
        ({"months": 0}, "1 month"),
        ({"today": date(2026, 11, 3)}, "Monday"),
        ({"effects": {"astrology": 1.0}}, "astrology"),
    ],
)
def test_an_impossible_company_is_refused_with_the_reason(
    tmp_path: Path, change: dict[str, object], message: str
) -> None:
    """Nothing is written for arguments that make no sense."""
    with pytest.raises(ValueError, match=message):
        generate(tmp_path, **({"accounts": 5, "months": 2} | change))  # type: ignore[arg-type]  # on purpose
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_a_company_cannot_move_on(tmp_path: Path) -> None:
    """The error names the folder and what to do."""
    with pytest.raises(FileNotFoundError, match="generate one first"):
        advance(tmp_path, 1)


def test_time_only_moves_forward(tmp_path: Path) -> None:
    """Zero weeks are refused."""
    with pytest.raises(ValueError, match="1 week or more"):
        advance(tmp_path, 0)
