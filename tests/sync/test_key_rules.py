"""How a key that is no id finds its account by a stated rule, and when it finds none."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sync.account_index import AMBIGUOUS, AccountIndex, build_index
from sync.aliases import Alias
from sync.duplicates import Entry
from sync.key_rules import DOMAIN, NAME, domain_rule, name_rule


def entry(crm_id: str, website: str | None = None, name: str | None = None, **more: Any) -> Entry:
    """A live account."""
    plain: dict[str, Any] = {"external_id": None, "parent_crm_id": None, "created_at": None}
    return Entry(crm_id=crm_id, website=website, name=name, **(plain | more))


def index_of(
    *live: Entry, aliases: tuple[Alias, ...] = (), merged: Any = (), shared: Any = ()
) -> AccountIndex:
    """The index with both rules."""
    return build_index(
        [(each.crm_id, each.external_id) for each in live],
        aliases,
        rules=(domain_rule(live, merged, shared), name_rule(live)),
    )


def test_a_domain_is_the_one_account_with_that_site() -> None:
    """As a bare domain, a web address or an e-mail address."""
    index = index_of(entry("A1", "https://www.acme.com/"), entry("A2", "globex.com", external_id="c2"))
    for key in ("acme.com", "WWW.ACME.COM", "jo@acme.com", "http://acme.com/login"):
        assert (index.match(key).account_id, index.match(key).way) == ("A1", DOMAIN)
    assert index.of_key("globex.com") == "c2"
    assert index.of_key("acme.de") is None


def test_a_site_of_two_accounts_is_neither_s() -> None:
    """A parent and its subsidiary often share one; the report names both."""
    index = index_of(entry("A1", "acme.com"), entry("A2", "acme.com", parent_crm_id="A1"))
    found = index.match("acme.com")
    assert (found.account_id, found.way, found.candidates) == (None, AMBIGUOUS, ("A1", "A2"))


def test_an_own_id_goes_before_a_domain() -> None:
    """A key that is some account's own id means that one, whatever its site."""
    index = index_of(entry("A1", "acme.com"), entry("A2", "b.com", external_id="acme.com"))
    assert index.by_crm_id == {"A1": "A1", "A2": "acme.com"}
    assert index.of_key("acme.com") == index.by_crm_id["A2"]


def test_an_own_id_of_two_accounts_is_not_settled_by_a_rule() -> None:
    """What is ambiguous by its id stays so, though a site would point to one of them."""
    index = index_of(entry("A1", "b.com", external_id="b.com"), entry("A2", external_id="b.com"))
    assert index.match("b.com").way == AMBIGUOUS


def test_domains_that_are_everybody_s_or_stated_as_shared_match_nothing() -> None:
    """A reseller's domain stands on its customers' records."""
    index = index_of(entry("A1", "gmail.com"), entry("A2", "reseller.com"), shared=("www.Reseller.com",))
    assert index.of_key("jo@gmail.com") is None
    assert index.of_key("reseller.com") is None


def test_the_site_of_a_merged_record_leads_to_its_survivor() -> None:
    """Unless a living account bears it now."""
    merged = [("L1", "old.com"), ("L2", "acme.com")]
    aliases = (Alias(loser="L1", survivor="A1"), Alias(loser="L2", survivor="A1"))
    index = index_of(entry("A1", "new.com"), entry("A2", "acme.com"), aliases=aliases, merged=merged)
    assert index.of_key("old.com") == "A1"
    assert index.of_key("acme.com") == "A2"


def test_a_name_is_the_one_account_that_bears_it() -> None:
    """Without case, accents and legal form; a former name only where nobody bears it today."""
    index = index_of(
        entry("A1", name="Ácme, Inc.", former_names=("Zorro Ltd", "Globex")),
        entry("A2", name="Globex"),
        entry("A3", name="Twin"),
        entry("A4", name="TWIN GmbH"),
    )
    assert (index.of_key("acme"), index.match("acme").way) == ("A1", NAME)
    assert index.of_key("zorro") == "A1"
    assert index.of_key("GLOBEX SA") == "A2"
    assert index.match("twin").way == AMBIGUOUS
    assert index.of_key("twi") is None


SITES = st.sampled_from([None, "a.com", "www.a.com", "b.com", "gmail.com", "c1", "A1"])
OWN = st.sampled_from([None, "a.com", "c1", "b.com", "A2"])
LIVE = st.lists(
    st.builds(
        entry,
        crm_id=st.sampled_from(["A1", "A2", "A3", "A4"]),
        website=SITES,
        name=st.sampled_from([None, "a.com", "One", "one ltd", "Two"]),
        external_id=OWN,
    ),
    max_size=4,
    unique_by=lambda each: each.crm_id,
)
KEYS = st.sampled_from(["a.com", "x@a.com", "b.com", "one", "Two", "c1", "A1", "A2", "gmail.com", "zzz"])


@given(LIVE, KEYS)
@settings(derandomize=True, deadline=None, max_examples=400)
def test_a_key_never_finds_an_account_by_what_two_share(live: list[Entry], key: str) -> None:
    """Found means that exactly one account bears it, whatever the others bear and in whatever order."""
    index = index_of(*live)
    found = index.match(key)
    again = index_of(*reversed(live)).match(key)
    assert (found.account_id, found.way) == (again.account_id, again.way)
    if found.way in (DOMAIN, NAME):
        rule = next(rule for rule in index.rules if rule.way == found.way)
        bearers = [
            each for each in live
            if rule.plain((each.website if found.way == DOMAIN else each.name) or "") == rule.plain(key)
        ]  # fmt: skip
        assert [index.by_crm_id[each.crm_id] for each in bearers] == [found.account_id]


@given(LIVE, KEYS)
@settings(derandomize=True, deadline=None, max_examples=200)
def test_rules_change_nothing_that_an_id_decides(live: list[Entry], key: str) -> None:
    """They only speak of keys that are nobody's id."""
    plain = build_index([(each.crm_id, each.external_id) for each in live], ())
    if plain.match(key).account_id is not None or plain.is_ambiguous(key):
        assert index_of(*live).match(key) == plain.match(key)
