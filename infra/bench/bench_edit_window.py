"""How long a person's edit could be overwritten unseen: the time between our reading and our writing.

By the sandbox's own audit, on loopback: a real CRM adds the way of one request. With a condition on each
write there is no such time, and the records that a call holds are fewer.
"""

from __future__ import annotations

import json
import statistics
import tempfile
from pathlib import Path
from typing import Any

from connectors.sandbox.audit import Audit
from connectors.sandbox.store import moment
from infra.chaos.company import make_org
from infra.chaos.home import at_home, empty_ledger

ACCOUNTS = 1_000
READS = {"collections.read", "companies.batch.read"}
WRITES = {"collections.update", "companies.batch.update", "composite"}
WAYS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("salesforce", "salesforce", {}),
    ("salesforce_batches_of_25", "salesforce", {"write_batch": 25}),
    ("hubspot", "hubspot", {}),
    ("salesforce_conditional", "salesforce", {"salesforce__conditional_writes": True}),
)


def windows(audit: Audit) -> list[float]:
    """Milliseconds between each write and the reading before it."""
    found, read = [], None
    for request in audit.requests():
        if request.endpoint in READS:
            read = moment(request.at)
        elif request.endpoint in WRITES and read is not None:
            found.append((moment(request.at) - read).total_seconds() * 1000)
            read = None
    return found


def measure(kind: str, settings: dict[str, Any]) -> tuple[list[float], int]:
    """The windows of one apply, and the API calls that it took."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        org = make_org(folder / "made", kind, accounts=ACCOUNTS, seed=1)
        with at_home(folder, org, empty_ledger(folder / "empty"), **settings) as home:
            plan = home.plan(writes=ACCOUNTS, tasks=0)
            before = home.crm.usage().calls
            home.apply(plan.id)
            return windows(home.sandbox.audit), home.crm.usage().calls - before


def main() -> None:
    """Print one JSON object a line."""
    for name, kind, settings in WAYS:
        found, calls = measure(kind, settings)
        line = {
            "name": f"edit_window_{name}",
            "value": round(statistics.fmean(found)),
            "unit": "ms",
            "compared_with": f"at most {max(found):.0f} ms; {ACCOUNTS:,} records in {calls} API calls"
            + ("; refused by the CRM if edited in it" if "conditional" in name else ""),
        }
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
