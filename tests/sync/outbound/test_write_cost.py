"""What writing costs in API calls, and which way is the cheaper one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connectors.crm import Capabilities
from connectors.hubspot.crm import Hubspot
from connectors.salesforce.crm import Salesforce
from connectors.salesforce.ingest import BATCH
from sync.write_cost import calls, job_least

COMPOSITE = Salesforce.capabilities
JOBS = replace(COMPOSITE, job_batch=BATCH)


@pytest.mark.parametrize(
    ("able", "changes", "cost"),
    [
        (COMPOSITE, 0, 0),
        (COMPOSITE, 20, 3),  # read, written, read again
        (COMPOSITE, 1_020, 5),
        (COMPOSITE, 10_000, 23),
        (JOBS, 10_000, 10),
        (JOBS, 100_000, 82),
        (Hubspot.capabilities, 10_000, 212),
    ],
)
def test_the_calls_are_those_that_were_promised(able: Capabilities, changes: int, cost: int) -> None:
    """10,000 records: at most 34 by Composite, 10 by a job, 2.2 a hundred on HubSpot."""
    assert calls(changes, able) == cost


def test_a_job_is_worth_its_calls_from_some_thousand_records_on() -> None:
    """And where there are none, never."""
    assert job_least(COMPOSITE) is None
    least = job_least(JOBS)
    assert least == 3_001
    assert calls(20 + least, JOBS) < calls(20 + least, COMPOSITE)
    assert calls(20 + least - 1, JOBS) == calls(20 + least - 1, COMPOSITE)


def test_more_records_never_cost_fewer_calls_than_a_job_saves() -> None:
    """The estimate grows, but where a job takes over."""
    for changes in range(0, 30_000, 250):
        assert calls(changes, JOBS) <= calls(changes, COMPOSITE)
