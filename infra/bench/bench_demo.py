"""The demo at its default size over three companies: quality against the truth, seconds, calls."""

from __future__ import annotations

import json
import subprocess
import sys

SEEDS = (1, 2, 3)


def demo(seed: int) -> dict[str, object]:
    """What `upswell demo --json` says for one company."""
    done = subprocess.run(
        [sys.executable, "-m", "worker", "demo", "--seed", str(seed), "--json"],
        capture_output=True,
        text=True,
        check=True,
    )
    data = json.loads(done.stdout.splitlines()[-1])["data"]
    assert isinstance(data, dict)
    return data


def main() -> None:
    """Print one JSON object a line."""
    for seed in SEEDS:
        data = demo(seed)
        seconds = data["seconds"]
        assert isinstance(seconds, dict)
        auc, rule = float(str(data["auc"])), float(str(data["auc_seat_rule"]))
        figures = (
            ("auc", auc, "AUC", f"truth {data['auc_truth']:.3f}, seat rule {rule:.3f}"),
            ("auc_ahead_of_seat_rule", auc - rule, "AUC", "at least 0.06"),
            ("loop_seconds", seconds["total"], "s", "limit 90 at 2,000 accounts × 24 months"),
            (
                "api_calls",
                data["api_calls"],
                "calls",
                f"{data['pulled']} records pulled, {data['changes']} written",
            ),
        )
        for name, value, unit, compared_with in figures:
            line = {
                "name": f"demo_{name}_seed_{seed}",
                "value": value,
                "unit": unit,
                "compared_with": compared_with,
            }
            print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
