"""Part of `make chaos`: 20,000 rows pulled and 20,000 written through faults, on either CRM; JSON lines.

The exit code is 1 when the lake differs from a CRM, or the audit does not bear an outcome out.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from connectors.fields import field_specs
from infra.chaos.home import empty_ledger
from infra.contract.apply_faults import applied_through_faults, company_of
from infra.contract.orgs import ORGS, open_org
from infra.contract.pull_faults import pulled_through_faults


def main() -> int:
    """Run what is asked for; a line for each run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--only", choices=["pull", "apply"], help="one half of it")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    found = 0
    with tempfile.TemporaryDirectory(prefix="upswell-faults-") as folder:
        for number, name in enumerate(ORGS if asked.only != "apply" else ()):
            found += _pull(Path(folder) / f"pull-{number}", name, asked.rows, asked.seed)
        for kind in ("salesforce", "hubspot") if asked.only != "pull" else ():
            found += _apply(Path(folder) / f"apply-{kind}", kind, asked.rows, asked.seed)
    return int(found > 0)


def _pull(folder: Path, name: str, rows: int, seed: int) -> int:
    org = open_org(name, folder / "org")
    try:
        org.connect().install(list(field_specs().values()), apply=True)
        result = pulled_through_faults(org, folder, rows=rows, seed=seed)
    finally:
        org.close()
    print(json.dumps({"name": "faults_pull", "crm": name, **asdict(result)}), flush=True)
    return len(result.differences)


def _apply(folder: Path, kind: str, writes: int, seed: int) -> int:
    company = company_of(folder / "company", kind, accounts=writes)
    (folder / "ledger").mkdir()
    ledger = empty_ledger(folder / "ledger")
    home = folder / "home"
    home.mkdir()
    result = applied_through_faults(home, company, ledger, writes=writes, seed=seed)
    print(json.dumps({"name": "faults_apply", "crm": kind, **asdict(result)}), flush=True)
    return len(result.violations)


if __name__ == "__main__":
    sys.exit(main())
