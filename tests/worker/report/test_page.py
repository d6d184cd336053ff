"""Facts about how an evaluation is shown: one page, Markdown and the screen's tables."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser

import numpy as np
import pytest

from sync.evaluation import Evaluation
from worker.report.markdown import markdown
from worker.report.page import page
from worker.report.tables import calibration_table, headline, top_quarter

VOID = {"meta", "img", "source"}


class Nesting(HTMLParser):
    """Notes tags that close what is not open, and every attribute that could load something."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.faults: list[str] = []
        self.loaded: list[str] = []
        self.anchors: set[str] = set()
        self.links: set[str] = set()
        self.images: list[dict[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open a tag."""
        held = dict(attrs)
        self.loaded += [held[name] or "" for name in ("src", "srcset") if name in held]
        if tag == "img":
            self.images.append(held)
        if held.get("id"):
            self.anchors.add(str(held["id"]))
        if (link := held.get("href")) is not None:
            self.links.add(link)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A tag that closes itself."""
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        """Close the tag that was opened last."""
        if not self.open or self.open.pop() != tag:
            self.faults.append(tag)


def read(html: str) -> Nesting:
    """The page, read to its end."""
    found = Nesting()
    found.feed(html)
    found.close()
    return found


@pytest.fixture
def html(evaluation: Evaluation) -> str:
    """The page with plain blanks, as a reader sees them."""
    return page(evaluation).replace("\N{NO-BREAK SPACE}", " ")


def test_the_page_loads_nothing_and_is_well_formed(html: str) -> None:
    """Images lie inside it, links stay on it, every tag is closed, and there is no script."""
    found = read(html)
    assert not found.faults
    assert not found.open
    assert found.loaded
    assert all(each.startswith("data:image/png;base64,") for each in found.loaded)
    assert found.links
    assert {link.removeprefix("#") for link in found.links} <= found.anchors
    assert not re.search(r"https?:|url\(|@import|<script|<link", html)
    assert all(image["alt"] for image in found.images)


def test_the_page_shows_the_figures_of_the_data(evaluation: Evaluation, html: str) -> None:
    """Each baseline's AUC, the coverage, the top quarter, and what was said of it in words."""
    for figures in evaluation.figures.values():
        assert f"{figures['auc']:.3f}" in html
    assert evaluation.value is not None
    assert f"{100 * evaluation.value.coverage:.0f} %" in html
    assert f"Of the best-scored quarter {100 * evaluation.top_quarter:.0f} %" in html
    assert "hides" in top_quarter(evaluation)
    assert "MAPE, which others quote, hides" in html
    assert "Work the list from the top" in html
    assert evaluation.target in html
    for timing in evaluation.timing:
        assert f"{100 * timing.within[-1].rate:.1f} %" in html


def test_names_from_records_stay_text_in_every_format(evaluation: Evaluation, html: str) -> None:
    """A segment's name is no markup in the page and no column in the table; nor is any other text."""
    text = markdown(evaluation)
    assert "&lt;script&gt;alert(1)&lt;/script&gt; A|B" in html
    assert "&lt;b&gt;new&lt;/b&gt;" in html
    assert "&lt;i&gt;an expansion&lt;/i&gt;" in html
    assert "<b>seats" not in html
    assert "A\\|B" in text


def test_the_page_is_the_same_each_time(evaluation: Evaluation) -> None:
    """To the last byte, pictures too, whatever was drawn at random before."""
    first = page(evaluation)
    np.random.seed(9)
    assert page(evaluation) == first


def test_what_is_not_known_has_no_section(told: Callable[..., Evaluation]) -> None:
    """No amounts, no timing, no signals: neither headings nor links to them."""
    bare = told(value=None, product={}, timing=(), signals=(), families=(), swarm=None, changes=None)
    found = read(page(bare))
    assert not found.faults
    assert {"amounts", "timing", "signals"} & found.anchors == set()
    assert "There is no earlier model" in page(bare)
    assert "## Value" not in markdown(bare)


def test_a_group_whose_margin_leaves_out_what_was_said_is_drawn_hollow(
    told: Callable[..., Evaluation], evaluation: Evaluation
) -> None:
    """And one whose margin holds it is not."""
    from dataclasses import replace

    right = evaluation.cohorts["segment"][0]
    wrong = replace(right, said=right.rate_high + 0.1)
    drawn = [page(told(cohorts={"segment": (each,)})).partition('id="groups"')[2] for each in (right, wrong)]
    marks = [text.partition("</section>")[0].count('class="miss"') for text in drawn]
    assert marks == [0, 1]


def test_a_group_of_a_handful_has_no_mark_beside_larger_ones(
    told: Callable[..., Evaluation], evaluation: Evaluation
) -> None:
    """Its margin would reach beyond the scale on which the others are drawn."""
    from dataclasses import replace

    large = evaluation.cohorts["segment"][0]
    small = replace(large, name="(other)", rows=2, rate=1.0, rate_low=0.3, rate_high=1.0)
    text = (
        page(told(cohorts={"segment": (large, small)})).partition('id="groups"')[2].partition("</section>")[0]
    )
    assert text.count('class="interval"') == 1
    assert "(other)" in text


def test_the_headline_says_what_was_judged_on_which_rows(evaluation: Evaluation) -> None:
    """One day is named once; the share is of the rows."""
    text = headline(evaluation)
    assert "saved model" in text
    assert f"600 rows as of 2026-06-01, of which {evaluation.expanded} (20.0 %)" in text


def test_the_plot_in_characters_puts_said_and_happened_at_their_places(
    told: Callable[..., Evaluation], evaluation: Evaluation
) -> None:
    """The first bin said what happened, the last said twice as much."""
    from dataclasses import replace

    first, *_, last = evaluation.calibration
    same, twice = (
        replace(first, said=first.rate),
        replace(last, said=0.9, rate=0.45, rate_low=0.4, rate_high=0.5),
    )
    _, rows = calibration_table(told(calibration=(same, twice)))
    plots = [row[-1] for row in rows]
    assert "@" in plots[0]
    assert plots[1].index("x") < plots[1].index("o")
    assert plots[1].index("o") == len(plots[1]) - 1 == 30
