"""What is read out of a ticket's text, and that each rule can be shown."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import ibis
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.engine import Engine
from model.features.ticket_text import MIN_SCORE, describe, points_to, read_text, text_rules
from model.features.wording import NEGATIVE, POSITIVE, REQUEST, TOPICS, WORKAROUND
from model.panel import build_rows
from model.product import Product
from model.target import Target

AS_OF = date(2026, 2, 2)
PRODUCTS = (
    Product(id="AN", name="Analytics Module", type="module"),
    Product(id="AU", name="Automation Suite", type="module", keywords=("Approval Chain", "bot")),
    Product(id="SSO", name="Single Sign-on", type="addon", keywords=("okta", "отчёты")),
    Product(id="SEATS", name="Seats", type="seat"),
)
RULES = text_rules(PRODUCTS)


@pytest.mark.parametrize(
    ("text", "product"),
    [
        ("we need a dashboard", "AN"),
        ("the approval  chain", None),  # not as it is written
        ("an approval chain of three", "AU"),
        ("is there a bot?", "AU"),
        ("the bottom of the page", None),  # a short word counts as a whole one only
        ("нужны отчёты", "SSO"),
        ("log in with okta", "SSO"),
        ("hello", None),
        ("more seats please", None),  # nobody lacks seats
    ],
)
def test_a_text_points_to_the_product_whose_words_it_holds(text: str, product: str | None) -> None:
    """Words of its name, keywords and topic; in any script."""
    assert points_to(text, RULES)[0] == product


def test_a_word_of_fewer_products_weighs_more() -> None:
    """What stands for two products tells less than what stands for one."""
    rules = text_rules(
        (
            Product(id="A", name="Alpha", type="module", keywords=("shared", "rare")),
            Product(id="B", name="Beta", type="module", keywords=("shared", "other")),
        )
    )
    assert rules.idf["rare"] > rules.idf["shared"]
    assert points_to("shared and rare", rules)[0] == "A"
    assert points_to("shared", rules)[0] == "A"  # alike for both: the first by id


def test_what_was_found_is_told_by_rule_and_word() -> None:
    """So that anybody can check why a ticket counts."""
    said = describe("Report by hand", "Great, but we would like a CHART", RULES)
    assert said == (
        "workaround (by hand); request (we would like); analytics (report, chart); automation (by hand); "
        "positive (great); points to AN (0.50)"
    )
    assert describe(None, None, RULES) == ""


PIECES = st.sampled_from(
    [
        *(
            "by hand",
            "we would like",
            "report",
            "CSV",
            "api",
            "apis",
            "bot",
            "robot",
            "okta",
            "Single sign-on",
        ),
        *(
            "approval chain",
            "Отчёты",
            "отчёт",
            "slow",
            "thanks",
            "sla",
            "slab",
            " ",
            ".",
            "\n",
            "é",
            "analytics",
        ),
        *("automation", "workflow", "training", "premium support", "İ", "ß", "📈"),
    ]
)
TEXTS = st.lists(st.lists(PIECES, max_size=6).map(" ".join), min_size=40, max_size=40)


@given(TEXTS)
@settings(derandomize=True, deadline=None, max_examples=4)
def test_the_columns_say_what_is_shown(texts: list[str]) -> None:
    """The engine's search and the one that people are shown find the same in every text."""
    backend = Engine().connect()
    given_texts = pa.table({"number": range(len(texts)), "subject": [None] * len(texts), "body": texts})
    backend.con.register("given_texts", given_texts)
    tickets = backend.table("given_texts").mutate(subject=ibis._.subject.cast("string"))
    found = read_text(tickets, RULES).order_by("number").to_pyarrow().to_pylist()
    for row, text in zip(found, texts, strict=True):
        said = describe(None, text, RULES)
        product, score = points_to(f" {text}".lower(), RULES)
        assert row["product"] == product, (text, score)
        assert (product is None) == (score < MIN_SCORE)
        for name in ("workaround", "request", *TOPICS):
            column = name if name in ("workaround", "request") else f"about_{name}"
            assert row[column] == (f"{name} (" in said), (name, text)
        assert row["gap"] == (row["workaround"] or row["request"])
        assert row["sentiment"] == ("positive (" in said) - ("negative (" in said)


def test_rules_are_plain_lists_of_words() -> None:
    """A rule that one engine reads in another way than the next has no place here."""
    for words in (WORKAROUND, REQUEST, POSITIVE, NEGATIVE, *TOPICS.values()):
        assert not set(words) & set("[]{}^$+*")


def test_a_gap_is_for_what_is_lacked_or_for_what_is_owned(tiny: Any, at: Callable[..., datetime]) -> None:
    """Every ticket of the dozen accounts points to Analytics, which one of them owns."""
    owned = {
        "account_id": "A001", "item": "AN", "kind": "product", "quantity": 1.0,
        "valid_from": date(2025, 3, 1), "valid_to": None, "known_from": at(date(2025, 3, 1)),
    }  # fmt: skip
    made = tiny.plus("entitlements", owned)
    rows = build_rows(made.tables(), as_of=AS_OF, target=Target(), products=PRODUCTS).table.to_pylist()
    for row in rows:
        if row["tickets_90"] != row["tickets_90"]:  # no ticket, nothing known
            continue
        asked = row["gap_tickets_180"]
        lacked, mine = (0, asked) if row["account_id"] == "A001" else (asked, 0)
        assert (row["gap_lacking_180"], row["gap_owned_180"]) == (lacked, mine)
        assert row["gap_products_180"] == (lacked > 0)
        assert (
            row["tickets_analytics_180"] == row["gap_analytics_180"] == row["workaround_tickets_180"] == asked
        )
    assert any(row["gap_owned_180"] for row in rows)
