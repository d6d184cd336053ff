"""Facts about the amounts of single accounts: they are the forecast's, cut by account."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.amounts import amounts_by_account, cents_of
from model.book import BASES, MODEL, OPEN
from tests.model.test_book import a_year_of_wins, book, deal, score


@settings(deadline=None, derandomize=True, max_examples=30)
@given(kinds=st.lists(st.sampled_from(["quiet", "deal", "two deals", "won"]), min_size=1, max_size=12))
def test_the_amounts_of_all_accounts_sum_to_the_book_s(kinds: list[str]) -> None:
    """Basis by basis and quarter by quarter, run rates included."""
    scores = [score(f"A{at}", 0.1 + at / 20) for at in range(len(kinds))]
    deals = [deal(f"A{at}") for at, kind in enumerate(kinds) if "deal" in kind]
    deals += [deal(f"A{at}", 90.0, closes=120) for at, kind in enumerate(kinds) if kind == "two deals"]
    held = book(scores, deals, a_year_of_wins(40))
    for basis in BASES:
        found = amounts_by_account(held, bases=[basis])
        own = np.array([each == basis for each in held.bases], bool)
        total = np.array(list(found.values())).reshape(-1, len(held.spans)).sum(axis=0)
        assert total == pytest.approx(cents_of(held)[own].sum(axis=0) / 100)
        exactly = (held.chance * held.arr[:, None])[own].sum(axis=0)
        assert total == pytest.approx(exactly, abs=0.005 * own.sum() + 1e-6)  # half a cent an item


def test_what_an_account_has_won_is_not_expected_any_more() -> None:
    """Without closed won, its quarter holds its deals and the model's part alone."""
    held = book([score("A"), score("B")], [deal("A", 500.0, 0.5)], a_year_of_wins(1))
    assert amounts_by_account(held, bases=(OPEN, MODEL))["A"][0] == pytest.approx(250.0)
