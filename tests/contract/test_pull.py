"""Pulling: everything once, then what changed, with deletes, merges, late rows and faults on the way."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.crm import Crm, Window
from connectors.errors import QuotaError, TransientError
from infra.contract.org import Org, landed, rows_of
from sync.cursor import OVERLAP, next_window

HOSTILE = (
    'O\'Neil & "Sons"',
    "back\\slash \\' \\n",
    "two\nlines\r\nand\ttab",
    "null",
    "NA",
    "001",
    "1e5",
    "-",
    '=HYPERLINK("x")',
    "#N/A",
    "a;b,c|d",
    "Ünïcödé — 漢字 🚀 \u200f\u05d0\u05d1",
    "e\u0301 and \u00e9",
    "a\u2028b\u2029c",
    "<b>&amp;</b>",
    "%27 %00 ../..",
    "x" * 200,
)


def test_a_full_pull_brings_every_record_once_as_it_is(org: Org, crm: Crm) -> None:
    """Over several pages, none missing, none twice, the deleted ones left out."""
    at = org.now
    ids = org.many("accounts", 450, at=at)
    org.delete("accounts", ids[7])
    rows = rows_of(crm, "accounts")
    live = [row for row in rows if not row["is_deleted"]]
    assert sorted(row["crm_id"] for row in live) == sorted(set(ids) - {ids[7]})
    truth = org.truth("accounts")
    assert {row["crm_id"]: row["name"] for row in live} == {i: held["name"] for i, held in truth.items()}
    assert all(row["known_from"] == row["created_at"] for row in live)


def test_an_increment_brings_what_changed_in_its_window_and_nothing_else(org: Org, crm: Crm) -> None:
    """From its start on, up to but not with its end."""
    start = org.now.replace(microsecond=0) - timedelta(hours=3)
    ids = org.many("accounts", 5, at=start - timedelta(days=1))
    end = start + timedelta(hours=1)
    tick = timedelta(seconds=1)
    for record, moment in zip(ids, (start - tick, start, start + tick, end - tick, end), strict=True):
        org.stamp("accounts", record, moment)
    rows = rows_of(crm, "accounts", start, end)
    assert [row["crm_id"] for row in sorted(rows, key=lambda row: str(row["crm_id"]))] == ids[1:4]


def test_what_people_edit_comes_with_the_next_window(org: Org, crm: Crm) -> None:
    """New values, newest last."""
    record, other = org.create("accounts", name="A"), org.create("accounts", name="B")
    org.advance(hours=1)
    since = org.now
    org.advance(minutes=5)
    org.edit("accounts", record, {org.columns["accounts"]["name"]: "A2"})
    new = org.create("accounts", name="C")
    rows = landed(rows_of(crm, "accounts", since))
    assert {i: row["name"] for i, row in rows.items()} == {record: "A2", new: "C"}
    assert other not in rows


def test_a_deleted_record_comes_once_more_flagged(org: Org, crm: Crm) -> None:
    """At the latest with the window that crosses midnight."""
    kept, gone = org.create("accounts", name="A"), org.create("accounts", name="B")
    since = org.now
    org.advance(hours=2)
    org.delete("accounts", gone)
    org.advance(days=1)
    rows = landed(rows_of(crm, "accounts", since, org.now))
    assert rows[gone]["is_deleted"]
    assert kept not in rows or not rows[kept]["is_deleted"]


@pytest.mark.parametrize("table", ["accounts", "contacts"])
def test_a_merged_record_names_its_survivor(org: Org, crm: Crm, table: str) -> None:
    """Whoever knows the loser's id finds the survivor."""
    first, second = org.create(table, name="First"), org.create(table, name="Second")
    since = org.now
    org.advance(hours=1)
    survivor = org.merge(table, first, second)
    rows = landed(rows_of(crm, table, since))
    assert rows[second]["is_deleted"]
    assert rows[second]["merged_into"] == survivor
    assert not rows[survivor]["is_deleted"]


def test_a_record_that_was_merged_is_gone_also_when_its_survivor_was_deleted_before_we_saw_it(
    org: Org, crm: Crm
) -> None:
    """Nobody tells of it but the deleted survivor."""
    first, second = org.create("accounts", name="First"), org.create("accounts", name="Second")
    since = org.now
    org.advance(hours=1)
    survivor = org.merge("accounts", first, second)
    org.delete("accounts", survivor)
    org.advance(days=1)
    rows = landed(rows_of(crm, "accounts", since, org.now))
    assert all(rows[each]["is_deleted"] for each in (first, second, survivor))


def test_more_records_of_one_moment_than_a_page_holds_all_come(org: Org, crm: Crm) -> None:
    """No cursor loses or repeats them."""
    since = org.now
    number = min(2 * crm.capabilities.page_size + 3, 2_500)
    ids = org.many("accounts", number, at=since + timedelta(minutes=1))
    rows = rows_of(crm, "accounts", since, since + timedelta(hours=1))
    assert sorted(row["crm_id"] for row in rows) == sorted(ids)


def test_a_record_committed_late_is_caught_by_the_next_window(org: Org, crm: Crm) -> None:
    """Stamped before the bookmark, seen only after it."""
    org.create("accounts", name="A")
    first = next_window(None, org.connect().server_time())
    assert first is not None
    rows_of(crm, "accounts", first.since, first.until)
    late = org.create("accounts", name="Late")
    org.stamp("accounts", late, first.until - OVERLAP / 2)
    org.advance(minutes=20)
    second = next_window(first.until, org.connect().server_time())
    assert second is not None
    assert late in landed(rows_of(crm, "accounts", second.since, second.until))


def test_what_changes_while_a_pull_runs_is_not_lost(org: Org, crm: Crm) -> None:
    """An edit behind the reader's back comes with this pull or with the next one."""
    ids = org.many("accounts", 250, at=org.now - timedelta(hours=1))
    until = org.connect().server_time() - timedelta(minutes=1)
    name = org.columns["accounts"]["name"]
    rows: list[dict[str, Any]] = []
    for number, page in enumerate(crm.pull("accounts", Window(since=None, until=until))):
        rows += page.to_pylist()
        if number == 0:
            org.edit("accounts", ids[0], {name: "Edited behind"})
            org.edit("accounts", ids[-1], {name: "Edited ahead"})
            org.delete("accounts", ids[-2])
    org.advance(days=1)
    rows += rows_of(crm, "accounts", until - OVERLAP, org.connect().server_time())
    held = landed(rows)
    assert (held[ids[0]]["name"], held[ids[-1]]["name"]) == ("Edited behind", "Edited ahead")
    assert held.keys() >= set(ids) - {ids[-2]}
    assert ids[-2] not in held or held[ids[-2]]["is_deleted"]


def test_hostile_texts_come_through_to_the_letter(org: Org, crm: Crm) -> None:
    """Nothing is guessed, cut, unescaped or turned into a number or a null."""
    ids = {org.create("accounts", name=text): text for text in HOSTILE}
    rows = landed(rows_of(crm, "accounts"))
    assert {i: rows[i]["name"] for i in ids} == ids


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.text(
        st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp", "Cf"]), min_size=1, max_size=60
    )
)
def test_any_text_comes_through_to_the_letter(org: Org, crm: Crm, text: str) -> None:
    """By a full pull, and by an increment."""
    since = org.now - timedelta(minutes=1)
    record = org.create("accounts", name=text)
    until = org.now + timedelta(minutes=1)
    assert landed(rows_of(crm, "accounts", since, until))[record]["name"] == text


@pytest.mark.parametrize("full", [True, False])
def test_a_pull_comes_through_faults(org: Org, crm: Crm, full: bool) -> None:
    """Asked again until it is answered, and every record once."""
    at = org.now
    ids = org.many("accounts", 250, at=at)
    for kind in ("busy", "reset_before", "reset_after", "status"):
        org.mend()
        org.break_("pull", kind, request=[1, 3])
        rows = rows_of(crm, "accounts", None if full else at - timedelta(minutes=1))
        assert sorted(row["crm_id"] for row in rows) == sorted(ids), kind


def test_a_reply_that_is_cut_off_is_asked_for_again(org: Org, crm: Crm) -> None:
    """Half a page is none."""
    record = org.create("accounts", name="A")
    org.break_("pull", "status", request=[1], status=200, body='{"results": [{"id": "1", "prop')
    assert list(landed(rows_of(crm, "accounts"))) == [record]


def test_a_pull_that_never_gets_an_answer_ends(org: Org, crm: Crm) -> None:
    """After some tries, with an error that says that it may pass."""
    org.break_("pull", "reset_before")
    with pytest.raises(TransientError):
        rows_of(crm, "accounts")
    assert 2 <= len(org.requests("pull")) <= 10


def test_a_pull_without_quota_pauses_at_once(org: Org, crm: Crm) -> None:
    """QuotaError, and not one call more."""
    org.create("accounts", name="A")
    crm.describe(crm.object_name("accounts"))
    org.break_("pull", "quota")
    with pytest.raises(QuotaError):
        rows_of(crm, "accounts")
    assert len(org.requests("pull")) == 1


def test_records_are_read_by_their_ids_whatever_became_of_them(org: Org, crm: Crm) -> None:
    """Live, deleted, merged, never there; an id twice is no problem."""
    name = org.columns["accounts"]["name"]
    live, gone, first, second = (org.create("accounts", name=n) for n in "ABCD")
    org.delete("accounts", gone)
    survivor = org.merge("accounts", first, second)
    wanted = [live, gone, second, live, survivor, org.unknown_account]
    held = crm.read(crm.object_name("accounts"), wanted, [name])
    assert held.keys() == {live, gone, second, survivor}
    assert held[live].values == {name: "A"}
    assert held[live].modified_at is not None
    assert held[gone].is_deleted
    assert held[gone].merged_into is None
    assert (held[second].is_deleted, held[second].merged_into) == (True, survivor)
    assert not held[survivor].is_deleted
    assert crm.read(crm.object_name("accounts"), [], [name]) == {}
