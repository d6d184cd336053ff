"""The share of mutants of plan, guard, apply and journal that their tests kill; exit code 1 below the limit.

`make mutation` tries all of them, `make mutation MUTANTS="sync.guard.* sync.plan.x_make_plan*"` only those.
`MUTANTS="*7"` is a tenth of them; `RESUME=1` goes on with a run of the same code and tests that was stopped.
A table by module, then one JSON line. A mutant that no test runs, or that got no verdict, counts as alive.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from collections import Counter
from fnmatch import fnmatch
from pathlib import Path
from time import monotonic
from typing import Final

from mutmut.stats import status_by_exit_code

from infra.mutation.write_path import modules

FOLDER: Final = Path("mutants")  # mutmut's own name for it
LIMIT: Final = 0.85
VERDICTS: Final = ("killed", "timeout", "survived", "no tests")
RUN_FAILED: Final = 255  # mutmut calls it a timeout: pytest could not run, for what it needs was gone


def run(chosen: list[str], *, resume: bool) -> None:
    """Make the mutants in a copy, a new one unless resumed, and try them. Raises SystemExit if that fails."""
    if not resume:
        shutil.rmtree(FOLDER, ignore_errors=True)
    watched = sys.stdout.isatty()
    done = subprocess.run(
        [sys.executable, Path(sys.executable).with_name("mutmut"), "run", *chosen],
        stdout=None if watched else subprocess.PIPE,
        stderr=None if watched else subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        said = (done.stdout or "").replace("\r", "\n").splitlines()
        raise SystemExit("\n".join([*said[-60:], f"mutmut ended with {done.returncode}"]))


def verdicts(module: str, chosen: list[str]) -> dict[str, str]:
    """What became of each mutant of a module, by the mutant's name."""
    kept = json.loads((FOLDER / f"{module}.meta").read_text("utf-8"))["exit_code_by_key"]
    return {
        name: "not run" if code == RUN_FAILED else status_by_exit_code[code]
        for name, code in kept.items()
        if not chosen or any(fnmatch(name, pattern) for pattern in chosen)
    }


def share(counts: Counter[str]) -> float:
    """Mutants killed, of all; one that never ends is killed by the clock."""
    return (counts["killed"] + counts["timeout"]) / max(counts.total(), 1)


def line(name: str, counts: Counter[str]) -> str:
    """A line of the table."""
    other = counts.total() - sum(counts[verdict] for verdict in VERDICTS)
    figures = (counts.total(), *(counts[verdict] for verdict in VERDICTS), other)
    return f"{name:24}" + "".join(f"{figure:>10,}" for figure in figures) + f"{share(counts):>8.1%}"


def main() -> int:
    """Print the table and one JSON object."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("mutants", nargs="*", help="names, * for anything; all without")
    parser.add_argument("--resume", action="store_true", help="keep the verdicts of a run that was stopped")
    given, started = parser.parse_args(), monotonic()
    chosen: list[str] = given.mutants
    run(chosen, resume=given.resume)
    found = {module: Counter(verdicts(module, chosen).values()) for module in modules()}
    found = {module: counts for module, counts in found.items() if counts}
    total = sum(found.values(), Counter[str]())
    print(f"{'':24}" + "".join(f"{title:>10}" for title in ("mutants", *VERDICTS, "other")) + f"{'share':>8}")
    for module, counts in (*found.items(), ("all", total)):
        print(line(module, counts))
    print("Alive: .venv/bin/mutmut results; one of them: .venv/bin/mutmut show NAME")
    print(
        json.dumps(
            {
                "name": "mutants_killed",
                "value": round(share(total), 4),
                "unit": "share of mutants",
                "compared_with": f"at least {LIMIT}",
                "mutants": total.total(),
                "seconds": round(monotonic() - started),
                "modules": {module: round(share(counts), 4) for module, counts in found.items()},
            }
        )
    )
    return 0 if share(total) >= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
