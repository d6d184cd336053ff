"""Calls are counted as the vendor counts them, and not made when there is no budget for them."""

from __future__ import annotations

import pytest

from connectors.crm import Crm
from connectors.errors import QuotaError
from infra.contract.org import Org, rows_of


class Purse:
    """A budget of so many calls."""

    def __init__(self, calls: int) -> None:
        self.left = calls
        self.given = 0
        self.closed = False
        self.seen: tuple[int, int] | None = None

    def spend(self, calls: int = 1) -> None:
        """Raises QuotaError when nothing is left."""
        if self.left < calls:
            raise QuotaError("The purse is empty.", fix="Fill it.")
        self.left -= calls
        self.given += calls

    def spent(self) -> int:
        """How many it has given."""
        return self.given

    def close(self) -> None:
        """Nothing is booked ahead."""
        self.closed = True

    def observe(self, *, used: int, limit: int) -> None:
        """What the CRM says."""
        self.seen = (used, limit)


def test_calls_are_counted_as_the_vendor_counts_them(org: Org, crm: Crm) -> None:
    """Each request that costs one, faults included."""
    before = sum(each.api_calls for each in org.requests())
    counted = crm.usage().calls
    org.many("accounts", 250, at=org.now)
    crm.org()
    rows_of(crm, "accounts")
    crm.find_tasks(["a"])
    cost = sum(each.api_calls for each in org.requests()) - before
    assert crm.usage().calls - counted == cost > 0


def test_a_lost_reply_costs_a_call_all_the_same(org: Org, crm: Crm) -> None:
    """It may have been counted there."""
    record = org.create("accounts", name="A")
    crm.describe(crm.object_name("accounts"))
    org.break_("read", "reset_after", request=[1])
    counted = crm.usage().calls
    crm.read(crm.object_name("accounts"), [record], [org.ours("score")])
    assert crm.usage().calls - counted == 2


def test_without_budget_no_request_leaves(org: Org) -> None:
    """QuotaError before the call, and as many calls as there were."""
    purse = Purse(3)
    crm = org.connect(budget=purse)
    org.many("accounts", 250, at=org.now)
    before = len([each for each in org.requests() if each.endpoint != "token"])

    def go_on() -> None:
        while True:
            rows_of(crm, "accounts")

    with pytest.raises(QuotaError):
        go_on()
    asked = [each for each in org.requests() if each.endpoint != "token"]
    assert purse.left == 0
    assert len(asked) - before == 3


def test_the_budget_hears_what_the_vendor_tells(org: Org) -> None:
    """Everybody's calls of the day, and how many there may be."""
    purse = Purse(100)
    crm = org.connect(budget=purse)
    crm.org()
    used, limit = crm.usage().org_used, crm.usage().org_limit
    assert used is not None
    assert limit is not None
    assert 0 < used < limit
    assert purse.seen == (used, limit)
    assert crm.usage().ours == purse.given == crm.usage().calls
    crm.close()
    assert purse.closed
