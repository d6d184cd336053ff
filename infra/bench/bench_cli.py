"""CPU seconds of `upswell --help`, beside an interpreter that does nothing."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from statistics import median

RUNS = 7


def cpu_seconds(*command: str) -> float:
    """The median of user and system seconds over some runs, after one that is not counted."""
    spent = []
    for run in range(RUNS + 1):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if run:
            spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return median(spent)


def main() -> None:
    """Print one JSON object a line."""
    nothing = cpu_seconds(sys.executable, "-c", "pass")
    ours = cpu_seconds(sys.executable, "-m", "worker", "--help")
    figures = (
        ("cli_help_cpu", ours, "CPU seconds", "limit 0.4"),
        ("cli_help_cpu_ratio", ours / nothing, "times", "an interpreter that does nothing"),
    )
    for name, value, unit, compared_with in figures:
        print(
            json.dumps({"name": name, "value": round(value, 3), "unit": unit, "compared_with": compared_with})
        )


if __name__ == "__main__":
    main()
