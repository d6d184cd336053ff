"""Facts about finding the one account that a person means."""

from __future__ import annotations

import pytest

from connectors.errors import UsageError
from sync.find_account import NamedAccount, find_account


def account(account_id: str, name: str, crm_id: str | None = None) -> NamedAccount:
    """An account with these names."""
    return NamedAccount(
        account_id=account_id, crm_id=crm_id, external_id=account_id, name=name, owner_id=None, segment=None
    )


ACME = account("C-1", "Acme", "001000000000001AAA")
ZETA = account("C-2", "Zeta GmbH", "001000000000002AAA")
TWINS = (account("C-3", "Twin"), account("C-4", "Twin"))
ALL = (ACME, ZETA, *TWINS)


@pytest.mark.parametrize("wanted", ["C-1", "001000000000001AAA", "001000000000001", "Acme", " acme "])
def test_an_account_is_found_by_each_of_its_names(wanted: str) -> None:
    """Its id, its record id in 15 or 18 characters, or its name in any case."""
    assert find_account(ALL, wanted) is ACME


def test_a_name_that_several_bear_is_refused_with_their_ids() -> None:
    """Guessing would explain the wrong customer."""
    with pytest.raises(UsageError, match="2 accounts bear this name") as refused:
        find_account(ALL, "Twin")
    assert "C-3, C-4" in str(refused.value.fix)


@pytest.mark.parametrize("wanted", ["Zeta", "Zetta GmbH"])
def test_part_of_a_name_or_a_slip_is_answered_with_who_may_be_meant(wanted: str) -> None:
    """Nobody has exactly this name, so nobody is chosen."""
    with pytest.raises(UsageError) as refused:
        find_account(ALL, wanted)
    assert "Zeta GmbH (C-2)" in str(refused.value.fix)


def test_nothing_like_it_says_what_can_be_given() -> None:
    """An empty name is not part of every name."""
    for wanted in ("", "Quux"):
        with pytest.raises(UsageError) as refused:
            find_account(ALL, wanted)
        assert "exact name" in str(refused.value.fix)
