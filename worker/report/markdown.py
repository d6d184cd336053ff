"""The report as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from worker.report.summary import summarise
from worker.report.tables import (
    MAPE_HIDES,
    Table,
    calibration_table,
    change_table,
    cohort_table,
    gains_table,
    headline,
    lead_table,
    product_table,
    quality_table,
    signal_table,
    timing_table,
    top_quarter,
    value_table,
)

if TYPE_CHECKING:
    from sync.evaluation import Evaluation


def markdown(found: Evaluation) -> str:
    """The whole report in Markdown."""
    summary = summarise(found)
    parts = [
        f"# Report on model {found.version}",
        f"**{summary.verdict.lead}** {summary.verdict.text}",
        headline(found),
        found.target,
        "## In short",
        _items([f"**{each.lead}** {each.text}" for each in summary.statements]),
        "## What to do",
        _items(summary.actions),
        "## Quality",
        _lines(quality_table(found)),
        _lines(lead_table(found)),
        "## Calibration",
        _lines(calibration_table(found)),
        "## Lift",
        _lines(gains_table(found)),
        top_quarter(found),
    ]
    for name in found.cohorts:
        parts += [f"## By {name}", _lines(cohort_table(found, name))]
    if found.value is not None:
        parts += ["## Value", _lines(value_table(found)), MAPE_HIDES]
    for title, table in (
        ("Product", product_table(found)),
        ("Timing", timing_table(found)),
        ("Signals", signal_table(found)),
        ("What changed", change_table(found)),
    ):
        if table[1]:
            parts += [f"## {title}", _lines(table)]
    suspects = found.facts_at_training["suspicions"]
    if suspects:
        parts += ["## Left out", _items([f"{name}: {why}" for name, why in suspects.items()])]
    if found.gaps.absent:
        absent = [f"{title}: {', '.join(columns)}" for title, columns in found.gaps.absent.items()]
        parts += ["## Data that are missing", _items(absent)]
    return "\n\n".join(parts) + "\n"


def _items(texts: Sequence[str]) -> str:
    return "\n".join(f"- {text}" for text in texts)


def _lines(table: Table) -> str:
    names, rows = table
    return "\n".join(_line(cells) for cells in (names, ["---"] * len(names), *rows))


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
