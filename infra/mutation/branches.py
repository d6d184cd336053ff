"""The share of branches of plan, guard, apply and journal that their tests take; exit code 1 below the limit.

The table names the lines and branches that no test reaches; the last line is one JSON object. The tests are
those of `make mutation`, and those of several workers, which mutation leaves out for their processes.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Final

import coverage
import pytest

from infra.mutation.write_path import modules, test_selection

LIMIT: Final = 95.0


def main() -> int:
    """Print the table and one JSON object."""
    measured = coverage.Coverage(data_file=None, branch=True, include=list(modules()))
    with measured.collect():
        failed = pytest.main(["-q", "-p", "no:cacheprovider", *_tests()])
    if failed:
        return int(failed)
    measured.report(show_missing=True)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "coverage.json"
        measured.json_report(outfile=str(file))
        totals = json.loads(file.read_text("utf-8"))["totals"]
    branches, lines = totals["percent_branches_covered"], totals["percent_statements_covered"]
    print(
        json.dumps(
            {
                "name": "branch_coverage",
                "value": round(branches, 2),
                "unit": "% of branches",
                "compared_with": f"at least {LIMIT:g}",
                "lines": round(lines, 2),
            }
        )
    )
    return 0 if min(branches, lines) >= LIMIT else 1


def _tests() -> list[str]:
    return [argument for argument in test_selection() if not argument.startswith("--ignore")]


if __name__ == "__main__":
    sys.exit(main())
