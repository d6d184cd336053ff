"""Facts about how an evaluation is shown."""

from __future__ import annotations

from datetime import date

import pytest

from model.reliability import Bin, Cohort, Gain
from sync.evaluation import Evaluation
from worker.evaluation_page import page
from worker.evaluation_report import calibration_table, headline, markdown

FIGURES = {"auc": 0.8123, "pr_auc": 0.3, "log_loss": 0.29, "brier": 0.08, "ece": 0.01, "lift_20": 2.9}


@pytest.fixture
def evaluation() -> Evaluation:
    """An evaluation of two bins, with a segment whose name is hostile to both formats."""
    return Evaluation(
        version="2026.11.02-1",
        basis="model",
        horizon_days=90,
        saved=True,
        first_day=date(2026, 6, 1),
        last_day=date(2026, 6, 1),
        rows=200,
        expanded=30,
        figures={"upswell": FIGURES, "base_rate": FIGURES | {"auc": 0.5}},
        at_training={},
        calibration=(
            Bin(low=0, high=0.1, rows=100, said=0.05, expanded=5, rate=0.05, rate_low=0.02, rate_high=0.11),
            Bin(low=0.1, high=0.9, rows=100, said=0.5, expanded=25, rate=0.25, rate_low=0.18, rate_high=0.34),
        ),
        gains=tuple(Gain(share=s / 4, captured=s / 4, lift=1.0) for s in range(1, 5)),
        gains_seat_rule=tuple(Gain(share=s / 4, captured=s / 4, lift=1.0) for s in range(1, 5)),
        cohorts={
            "segment": (Cohort(name="<b>A|B</b>", rows=200, expanded=30, rate=0.15, said=0.27, auc=None),)
        },
        data_changed=False,
    )


def test_the_headline_says_what_was_judged_on_which_rows(evaluation: Evaluation) -> None:
    """One day is named once; the share is of the rows."""
    text = headline(evaluation)
    assert "saved model" in text
    assert "200 rows as of 2026-06-01, of which 30 (15.0 %)" in text


def test_the_plot_in_characters_puts_said_and_happened_at_their_places(evaluation: Evaluation) -> None:
    """The first bin said what happened, the second said twice as much."""
    _, rows = calibration_table(evaluation)
    first, second = (row[-1] for row in rows)
    assert "@" in first
    assert second.index("x") < second.index("o")
    assert second.index("o") == len(second) - 1 == 30


def test_names_from_records_stay_text_in_both_formats(evaluation: Evaluation) -> None:
    """A segment's name is no markup in the page and no column in the table."""
    html, text = page(evaluation), markdown(evaluation)
    assert "&lt;b&gt;A|B&lt;/b&gt;" in html
    assert "<b>A" not in html
    assert "A\\|B" in text
    assert html.count("<svg") == 2
    assert "0.812" in html
    assert "0.812" in text
    assert "http" not in html
