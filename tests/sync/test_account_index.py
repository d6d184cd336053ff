"""Which account an id means."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from sync.account_index import build_index, short_id
from sync.aliases import Alias, final_survivors

LONG = "001Ws00003AbCdEIAZ"


def test_the_companys_own_id_is_the_canonical_one() -> None:
    """It stays when the CRM is replaced; an account without one goes by its CRM id."""
    index = build_index([("A1", "c1"), ("A2", None), ("A3", "  ")], [])
    assert dict(index.by_crm_id) == {"A1": "c1", "A2": "A2", "A3": "A3"}
    assert [index.of_key(key) for key in ("c1", " c1 ", "A1", "A2", "c9", "", None)] == [
        "c1", "c1", "c1", "A2", None, None, None,
    ]  # fmt: skip


def test_an_own_id_of_two_accounts_is_nobodys() -> None:
    """Usage under it can't be given to either, and both go by their CRM ids."""
    index = build_index([("A1", "same"), ("A2", "same"), ("A3", "c3")], [])
    assert index.by_crm_id == {"A1": "A1", "A2": "A2", "A3": "c3"}
    assert index.of_key("same") is None
    assert index.is_ambiguous("same ")


def test_both_lengths_of_a_salesforce_id_mean_one_account() -> None:
    """Exports often hold the 15 characters, the API gives 18; case counts in the first 15."""
    index = build_index([(LONG, None)], [])
    assert index.of_key(LONG) == index.of_key(LONG[:15]) == LONG
    assert index.of_key(LONG[:15].lower()) is None
    assert short_id("123456789012345678") == "123456789012345678"  # another CRM's number stays whole


def test_a_merged_loser_means_its_survivor() -> None:
    """By its CRM id and by its own id, through a chain of merges."""
    aliases = [
        Alias(loser="A1", survivor="A2", external_id="c1"),
        Alias(loser="A2", survivor="A3", external_id="c2"),
    ]
    index = build_index([("A3", "c3")], aliases)
    assert {index.of_key(key) for key in ("A1", "A2", "A3", "c1", "c2", "c3")} == {"c3"}
    assert index.by_crm_id == {"A1": "c3", "A2": "c3", "A3": "c3"}


def test_an_own_id_that_passed_to_another_live_account_means_that_one() -> None:
    """The living come before the merged."""
    aliases = [Alias(loser="A1", survivor="A2", external_id="c1")]
    index = build_index([("A2", "c2"), ("A4", "c1")], aliases)
    assert index.of_key("c1") == "c1"
    assert index.by_crm_id["A4"] == "c1"


def test_a_ring_of_merges_leads_nowhere() -> None:
    """And does not run for ever."""
    ring = [Alias(loser="A1", survivor="A2"), Alias(loser="A2", survivor="A1")]
    assert final_survivors(ring) == {}
    assert build_index([("A9", None)], ring).of_key("A1") is None


IDS = st.sampled_from(["A1", "A2", "A3", "A4", LONG, LONG[:15], "c1", "c2", "c3", " c1"])
ACCOUNTS = st.dictionaries(
    st.sampled_from(["A1", "A2", "A3", "A4", LONG]), st.one_of(st.none(), IDS), max_size=5
)
MERGES = st.lists(
    st.builds(Alias, loser=st.sampled_from(["L1", "L2", "A1"]), survivor=st.sampled_from(["A1", "A2", "L1"]),
              external_id=st.one_of(st.none(), IDS)),
    max_size=4,
    unique_by=lambda alias: alias.loser,
)  # fmt: skip


@given(ACCOUNTS, MERGES)
@settings(derandomize=True, deadline=None, max_examples=300)
def test_live_accounts_never_share_a_canonical_id(
    accounts: dict[str, str | None], merges: list[Alias]
) -> None:
    """Whatever stands in the external id field, and whatever was merged."""
    index = build_index(accounts.items(), merges)
    canonical = [index.by_crm_id[crm_id] for crm_id in accounts]
    assert len(set(canonical)) == len(accounts)
    assert set(index.by_key.values()) | set(index.by_crm_id.values()) <= set(canonical)


@given(ACCOUNTS, MERGES)
@settings(derandomize=True, deadline=None, max_examples=100)
def test_the_order_of_accounts_does_not_matter(accounts: dict[str, str | None], merges: list[Alias]) -> None:
    """A pull gives rows in no order that means anything."""
    there = build_index(accounts.items(), merges)
    back = build_index(reversed(accounts.items()), merges)
    assert there.by_crm_id == back.by_crm_id
    assert there.by_key == back.by_key
