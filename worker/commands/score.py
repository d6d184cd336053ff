"""`upswell score`: every customer account with the current model."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Mapping
from contextlib import nullcontext
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from worker.commands.train import NO_SIGNAL_TOLD
from worker.loop_home import open_loop
from worker.verb import App, verb

if TYPE_CHECKING:
    import pyarrow as pa

CSV_COLUMNS: Final = (
    *("account_id", "crm_id", "external_id", "name", "owner_id", "as_of", "probability", "tier"),
    *("arr_if_expands", "arr_low", "arr_high", "expected_arr", "product", "product_2", "timing", "health"),
    *("priority", "reasons", "model_version", "data_completeness"),
)
SHOWN: Final = 15


@verb("score", examples=("upswell score", "upswell score --out scores.csv --as-of 2026-09-30"))
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="Write all scores as CSV; - is stdout."
)
@click.option(
    "--as-of",
    type=click.DateTime(formats=["%Y-%m-%d"]),
    help="Know nothing after this day.  [default: the CRM server's today]",
)
def command(app: App, out: Path | None, as_of: datetime | None) -> None:
    """Score, keep the scores in the ledger, and show the accounts to talk to first."""
    from sync.training import other_target

    with open_loop(app.settings(), app.screen) as loop, loop.run("score") as run:
        app.answer.run_id = run.id
        today = loop.today()
        day = today if as_of is None else as_of.date()
        if day > today:
            from connectors.errors import InputError

            raise InputError(
                f"{day} is still to come; the CRM's day is {today}, and nothing is known after it.",
                record="--as-of",
                fix="name a day up to then, or leave it out for today",
            )
        if (learnt := other_target(loop)) is not None:
            app.warn(f"the model was trained for another target than [target] states: {learnt} Train anew.")
        report = loop.score(run, day)
        matched_share = loop.tables().report.matched_share
    scores = report.scores
    if "no_signal" in scores["basis"].to_pylist()[:1]:
        app.warn(NO_SIGNAL_TOLD)
    if out is not None:
        write_csv(out, scores)
    app.answer.data = {
        "as_of": report.as_of,
        "model_version": report.model_version,
        "accounts": scores.num_rows,
        "tiers": tier_counts(scores),
        "file": out,
        "matched_share": matched_share,
        "data_completeness": mean_completeness(scores),
    }
    if str(out) != "-":
        show_scores(app, scores, SHOWN, {p.id: p.name for p in loop.products})
        if out is not None:
            app.screen.say(f"Wrote {scores.num_rows:,} scores to {out}.")


def mean_completeness(scores: pa.Table) -> float | None:
    """How complete the data behind the scores are on average, 0–1; None without scores."""
    import pyarrow.compute as pc

    mean: float | None = pc.mean(scores["data_completeness"]).as_py()
    return mean


def tier_counts(scores: pa.Table) -> dict[str, int]:
    """Accounts by tier, best first."""
    counted = {row["values"]: row["counts"] for row in scores["tier"].value_counts().to_pylist()}
    order = ("very_high", "high", "medium", "low", "not_enough_data")
    return {tier: counted[tier] for tier in order if tier in counted}


def write_csv(out: Path, scores: pa.Table) -> None:
    """The scores with the columns of `CSV_COLUMNS`; reasons as a JSON array of sentences.

    Raises InputError when the file can't be written."""
    from connectors.errors import InputError

    rows = scores.select(list(CSV_COLUMNS)).to_pylist()
    try:
        # stdout stays open: the verb still has its answer to print
        with (
            nullcontext(sys.stdout)
            if str(out) == "-"
            else out.open("w", encoding="utf-8", newline="") as file
        ):
            writer = csv.DictWriter(file, CSV_COLUMNS, lineterminator="\n")
            writer.writeheader()
            for row in rows:
                sentences = [reason["sentence"] for reason in row["reasons"] or ()]
                writer.writerow(row | {"reasons": json.dumps(sentences, ensure_ascii=False)})
    except OSError as error:
        raise InputError(
            f"this file can't be written: {error.strerror}.", record=str(out), fix="name another with --out"
        ) from None


def show_scores(app: App, scores: pa.Table, count: int, names: Mapping[str, str]) -> None:
    """The first accounts by priority, with the strongest reason of each."""
    tiers = ", ".join(f"{n:,} {tier.replace('_', ' ')}" for tier, n in tier_counts(scores).items())
    completeness = mean_completeness(scores)
    known = "" if completeness is None else f"; data completeness {completeness:.0%}"
    app.screen.head(f"{scores.num_rows:,} accounts scored: {tiers}{known}")
    app.screen.table(
        ("#", "Account", "Score", "Expected ARR", "Product", "When", "Health", "Strongest reason"),
        [score_row(row, names) for row in scores.slice(0, count).to_pylist()],
        right=("#", "Score", "Expected ARR"),
    )


def score_row(row: dict[str, Any], names: Mapping[str, str]) -> tuple[str, ...]:
    """One account as the ranked table shows it."""
    when = {"now": "now", "d30": "30 days", "d90": "90 days", "hold": "hold"}
    reasons = row["reasons"] or []
    return (
        str(row["priority"] or ""),
        (row["name"] or row["account_id"])[:28],
        "" if row["probability"] is None else f"{100 * row['probability']:.0f}",
        "" if row["expected_arr"] is None else f"{row['expected_arr']:,.0f}",
        names.get(row["product"] or "", row["product"] or ""),
        when.get(row["timing"], row["timing"] or ""),
        row["health"] or "",
        reasons[0]["sentence"] if reasons else "",
    )
