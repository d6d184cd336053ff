"""What writing costs in API calls, by batches and by jobs: the plan states it, and the cheaper way is taken.

By batches: each is read and written, and what was written is read again in steps as large as a call takes. By
a job: it is read, opened, uploaded, closed and looked at, and read again.
"""

from __future__ import annotations

from math import ceil

from connectors.crm import Capabilities
from sync.first_batch import FIRST


def calls(changes: int, able: Capabilities) -> int:
    """API calls that so many changed records take, the small first batch included."""
    first = min(changes, FIRST)
    rest = changes - first
    sent = _written(first, able)
    least = job_least(able)
    while least is not None and rest >= least:
        sent += 1 + able.job_calls
        rest -= min(rest, able.job_batch)
    return sent + _written(rest, able) + ceil(changes * able.read_again / able.read_batch)


def job_least(able: Capabilities) -> int | None:
    """The fewest records that a job writes with fewer calls than batches; None where there are no jobs."""
    for batches in range(ceil(able.job_batch / able.write_batch)):
        if 1 + able.job_calls < _written(batches * able.write_batch + 1, able):
            return batches * able.write_batch + 1
    return None


def _written(changes: int, able: Capabilities) -> int:
    """Calls that compare and write so many records by batches."""
    batches = ceil(changes / able.write_batch)
    return batches + max(batches, ceil(changes / able.read_batch))
