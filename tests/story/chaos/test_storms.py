"""Storms over an apply and over its rollback: what is left is the truth, on either CRM."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.chaos.company import Org, make_org
from infra.chaos.home import at_home
from infra.chaos.weather import way_of, weathered


@pytest.fixture(scope="session")
def orgs(small_org: Org, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Org]:
    """A small org of either kind."""
    other = make_org(tmp_path_factory.mktemp("hubspot") / "org", "hubspot", accounts=60, seed=1)
    return {"salesforce": small_org, "hubspot": other}


@pytest.mark.parametrize("seed", range(6))
def test_no_promise_is_broken_in_a_storm_nor_on_the_way_back(
    orgs: dict[str, Org], ledger_file: Path, tmp_path: Path, seed: int
) -> None:
    """With up to 70 % of the writes failing, late writes, people who edit, and a quota that runs out."""
    kind, settings = way_of(seed)
    with at_home(tmp_path, orgs[kind], ledger_file, **settings) as home:
        assert weathered(home, seed) == ([], [])
        assert {plan.status for plan in home.evidence().plans.values()} == {"rolled_back"}
