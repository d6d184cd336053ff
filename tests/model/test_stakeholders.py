"""Facts about whom to reach, and who is missing."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from model.stakeholders import MOST, ROLE_NAMES, Contact, rank_contacts, who_is_missing, whom_to_reach

AS_OF = date(2026, 11, 22)
DAYS = st.integers(-400, 200).map(lambda days: AS_OF + timedelta(days=days))
CONTACTS = st.lists(
    st.builds(
        Contact,
        crm_id=st.uuids().map(str),
        name=st.sampled_from(["Ann", "Bo", "Cy", " "]),
        title=st.sampled_from([None, "CEO", "VP Data", "Head of Ops", "Analyst"]),
        role=st.sampled_from([None, "user", *ROLE_NAMES]),
        department=st.sampled_from([None, "Finance"]),
        left_at=st.none() | DAYS,
        last_contact=st.none() | DAYS,
        active_days=st.none() | st.integers(0, 30),
    ),
    max_size=8,
    unique_by=lambda contact: contact.crm_id,
)


@given(CONTACTS)
def test_whoever_has_left_is_never_proposed_and_order_does_not_matter(contacts: list[Contact]) -> None:
    """For any contacts: three at most, all still there, the same ones however they are listed."""
    found = rank_contacts(contacts, AS_OF)
    assert len(found) <= MOST
    assert all(r.contact.left_at is None or r.contact.left_at > AS_OF for r in found)
    assert whom_to_reach(contacts, AS_OF) == (found[0] if found else None)
    assert rank_contacts(sorted(contacts, key=lambda contact: contact.crm_id), AS_OF) == found


def test_the_reason_says_role_department_contact_and_use() -> None:
    """What a CSM needs to know before the call."""
    contact = Contact(
        crm_id="1",
        name="Bo",
        role="champion",
        department="Finance",
        last_contact=date(2026, 11, 2),
        active_days=12,
    )
    (found,) = rank_contacts([contact], AS_OF)
    assert found.reason == (
        "champion in Finance, last in touch 2 Nov 2026, used the product on 12 of the last 30 days"
    )


def test_use_of_the_product_decides_between_two_of_the_same_standing() -> None:
    """The champion who works with it goes before the one who does not."""
    idle = Contact(crm_id="1", name="Ann", role="champion", last_contact=AS_OF)
    busy = replace(idle, crm_id="2", name="Bo", active_days=9)
    assert [reach.contact.name for reach in rank_contacts([idle, busy], AS_OF)] == ["Bo", "Ann"]


def test_an_empty_seat_is_named_with_what_became_of_it() -> None:
    """Nobody known, somebody who left, and one who has gone quiet; a chief fills the sponsor's seat."""
    gone = Contact(crm_id="1", name="Ann", role="champion", left_at=date(2026, 10, 5))
    quiet = Contact(crm_id="2", name="Bo", role="decision_maker", last_contact=date(2026, 3, 3))
    chief = Contact(crm_id="3", name="Cy", title="Chief Data Officer", last_contact=AS_OF)
    assert who_is_missing([gone, quiet, chief], AS_OF) == (
        "champion: left 5 Oct 2026",
        "economic buyer: quiet since 3 Mar 2026",
    )
    assert who_is_missing([chief], AS_OF) == ("champion: none known", "economic buyer: none known")
    never = Contact(crm_id="4", name="Di", role="executive_sponsor")
    assert who_is_missing([never], AS_OF)[2] == "executive sponsor: never in touch"


def test_a_seat_is_filled_by_whoever_is_in_touch_or_uses_the_product() -> None:
    """Ninety days without contact are no silence of somebody who works with it."""
    champion = Contact(crm_id="1", name="Ann", role="champion", last_contact=AS_OF - timedelta(days=91))
    assert "champion: quiet since 23 Aug 2026" in who_is_missing([champion], AS_OF)
    for present in (
        replace(champion, active_days=1),
        replace(champion, last_contact=AS_OF - timedelta(days=90)),
    ):
        assert not any(seat.startswith("champion") for seat in who_is_missing([present], AS_OF))


def test_nobody_is_missing_where_no_contact_is_known() -> None:
    """That is a gap in the data, not at the table."""
    assert who_is_missing([], AS_OF) == ()
