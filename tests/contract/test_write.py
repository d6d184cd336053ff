"""Writing: every outcome that a row can have, and calls that fail, get lost or come twice."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Any

import pytest

from connectors.crm import Change, Crm, RowOutcome, Value
from connectors.errors import AmbiguousError, QuotaError, TransientError
from infra.contract.org import Org

KINDS: dict[str, Value] = {
    "score": 71,
    "probability": 0.71,
    "expected_arr": 12345.67,
    "reason_1": "Seats 96 % used; <b>\u201cÜnï\u201d</b> O'Neil \\ 🚀",
    "scored_at": datetime(2026, 11, 2, 9, 30, tzinfo=UTC),
    "data_as_of": date(2026, 11, 1),
}


UNFIT: tuple[tuple[str, Any], ...] = (
    ("score", math.nan),
    ("score", math.inf),
    ("score", "seventy"),
    ("score", True),
    ("expected_arr", -math.inf),
    ("tier", "Enormous"),
    ("reason_1", 5),
    ("reason_1", "x" * 70_000),
    ("reason_1", "half a character: \ud83d"),
    ("scored_at", datetime(2026, 11, 2, 9)),  # noqa: DTZ001  # which is the point
    ("scored_at", date(2026, 11, 2)),
    ("data_as_of", datetime(2026, 11, 2, 9, tzinfo=UTC)),
    ("data_as_of", "2026-11-02"),
)
TELLS_NOTHING = ("", "<html>", '[{"success": tr', "null", "{}", "[]", '{"results": []}')


@pytest.fixture
def change(org: Org, crm: Crm) -> Any:
    """New values of our fields for an account, under a key made from its id."""

    def make(record_id: str, key: str = "", **values: Any) -> Change:
        named = {org.ours(name): value for name, value in values.items()}
        return Change(
            key=key or f"op-{record_id}", object=crm.object_name("accounts"), id=record_id, values=named
        )

    return make


def outcomes(results: Sequence[Any]) -> list[RowOutcome]:
    """What became of each row."""
    return [each.outcome for each in results]


def test_every_kind_of_value_comes_back_as_it_was_written(org: Org, crm: Crm, change: Any) -> None:
    """And None clears it."""
    record = org.create("accounts", name="A")
    names = [org.ours(key) for key in KINDS]
    tier = crm.describe(crm.object_name("accounts")).fields[org.ours("tier")].options[0]
    written = {**KINDS, "tier": tier}
    results = crm.write([change(record, **written)])
    assert [(f"op-{record}", RowOutcome.APPLIED, record)] == [(r.key, r.outcome, r.id) for r in results]
    held = crm.read(crm.object_name("accounts"), [record], [*names, org.ours("tier")])[record].values
    assert held == {org.ours(key): value for key, value in written.items()}
    if results[0].held is not None:
        assert results[0].held == held
    crm.write([change(record, **dict.fromkeys(written))])
    cleared = crm.read(crm.object_name("accounts"), [record], names)[record].values
    assert cleared == dict.fromkeys(names)


def test_a_bad_row_stops_no_good_one(org: Org, crm: Crm, change: Any) -> None:
    """One call; results in the order of the changes, matched by key; each bad one says why and what to do."""
    first, gone, owned, last = (org.create("accounts", name=n) for n in "ABCD")
    owner_field = "OwnerId" if org.kind == "salesforce" else "hubspot_owner_id"
    bad_owner = Change(
        key="owner", object=crm.object_name("accounts"), id=owned, values={owner_field: org.unknown_owner}
    )
    org.delete("accounts", gone)
    crm.describe(crm.object_name("accounts"))
    before = len(org.requests())
    results = crm.write([change(first, score=1), change(gone, score=2), bad_owner, change(last, score=4)])
    assert len(org.requests()) == before + 1
    assert [each.key for each in results] == [f"op-{first}", f"op-{gone}", "owner", f"op-{last}"]
    assert outcomes(results) == [
        RowOutcome.APPLIED,
        RowOutcome.GONE,
        RowOutcome.REFUSED,
        RowOutcome.APPLIED,
    ]
    assert all(each.vendor_code and each.message for each in results[1:3])
    assert results[2].fix
    assert {each.id for each in org.our_changes()} == {first, last}


def test_a_value_that_its_field_cannot_hold_never_leaves(org: Org, crm: Crm, change: Any) -> None:
    """Refused here, with a code; the other rows of the call go."""
    bad, good = org.create("accounts", name="A"), org.create("accounts", name="B")
    crm.describe(crm.object_name("accounts"))
    asked = len(org.requests())
    for key, value in UNFIT:
        result = crm.write([change(bad, **{key: value})])[0]
        assert result.outcome is RowOutcome.REFUSED, (key, value)
        assert result.vendor_code, (key, value)
        assert result.message, (key, value)
    assert len(org.requests()) == asked
    assert outcomes(crm.write([change(bad, score=math.nan), change(good, score=1)])) == [
        RowOutcome.REFUSED,
        RowOutcome.APPLIED,
    ]
    assert {each.id for each in org.our_changes()} == {good}


def test_a_field_that_is_not_there_or_not_ours_to_write_never_leaves(org: Org, crm: Crm) -> None:
    """Refused here."""
    record = org.create("accounts", name="A")
    crm.describe(crm.object_name("accounts"))
    asked = len(org.requests())
    for name in ("No_Such_Field__c", "no_such_field", "Id", "hs_object_id"):
        odd = Change(key="k", object=crm.object_name("accounts"), id=record, values={name: "x"})
        assert outcomes(crm.write([odd])) == [RowOutcome.REFUSED], name
    assert len(org.requests()) == asked


def test_a_record_that_is_not_there_any_more_is_gone(org: Org, crm: Crm, change: Any) -> None:
    """Also one of which the vendor has forgotten that it ever was."""
    deleted = org.create("accounts", name="A")
    org.delete("accounts", deleted)
    results = crm.write([change(deleted, score=1), change(org.unknown_account, score=1)])
    assert outcomes(results) == [RowOutcome.GONE, RowOutcome.GONE]


def test_a_write_to_a_merged_record_is_never_taken_for_its_own(org: Org, crm: Crm, change: Any) -> None:
    """Not applied, whether the vendor refuses it or leads it to the survivor; a reading tells which."""
    first, second = org.create("accounts", name="A"), org.create("accounts", name="B")
    survivor = org.merge("accounts", first, second)
    told: list[Any] = []
    with suppress(AmbiguousError):
        told = crm.write([change(second, score=3)])
    assert outcomes(told) in ([], [RowOutcome.GONE], [RowOutcome.MERGED])
    held = crm.read(crm.object_name("accounts"), [second], [org.ours("score")])
    assert held[second].merged_into == survivor


def test_a_locked_record_may_pass_later(org: Org, crm: Crm, change: Any) -> None:
    """Its row FAILED, or the whole call TransientError; nothing was written, and the next try goes."""
    record = org.create("accounts", name="A")
    org.break_("write", "lock", request=[1], ids=[record])
    with suppress(TransientError):
        assert outcomes(crm.write([change(record, score=3)])) == [RowOutcome.FAILED]
    assert org.our_changes(record) == []
    assert outcomes(crm.write([change(record, score=3)])) == [RowOutcome.APPLIED]


@pytest.mark.parametrize(("kind", "error"), [("busy", TransientError), ("quota", QuotaError)])
def test_a_write_that_the_vendor_puts_off_is_sent_once_and_changed_nothing(
    org: Org, crm: Crm, change: Any, kind: str, error: type[TransientError]
) -> None:
    """Who counts the attempts decides about the next one."""
    record = org.create("accounts", name="A")
    crm.describe(crm.object_name("accounts"))
    org.break_("write", kind)
    with pytest.raises(error) as put_off:
        crm.write([change(record, score=3)])
    assert not isinstance(put_off.value, AmbiguousError)
    assert len(org.requests("write")) == 1
    assert org.our_changes(record) == []


@pytest.mark.parametrize(("kind", "happened"), [("reset_before", False), ("reset_after", True)])
def test_a_lost_reply_is_ambiguous_and_a_reading_tells(
    org: Org, crm: Crm, change: Any, kind: str, happened: bool
) -> None:
    """Sent once; whether it happened only the record shows."""
    record = org.create("accounts", name="A")
    crm.describe(crm.object_name("accounts"))
    org.break_("write", kind)
    with pytest.raises(AmbiguousError):
        crm.write([change(record, score=3)])
    assert len(org.requests("write")) == 1
    held = crm.read(crm.object_name("accounts"), [record], [org.ours("score")])[record]
    assert held.values == {org.ours("score"): 3 if happened else None}


def test_a_reply_that_tells_nothing_is_a_lost_one(org: Org, crm: Crm, change: Any) -> None:
    """Whatever 200 stands above it: no row is taken for applied."""
    record = org.create("accounts", name="A")
    crm.describe(crm.object_name("accounts"))
    for body in TELLS_NOTHING:
        org.mend()
        org.break_("write", "status", status=200, body=body)
        with pytest.raises(AmbiguousError):
            crm.write([change(record, score=3)])


def test_a_server_that_fails_while_it_writes_may_have_written(org: Org, crm: Crm, change: Any) -> None:
    """AmbiguousError: never sent again without a look."""
    record = org.create("accounts", name="A")
    crm.describe(crm.object_name("accounts"))
    for number, status in enumerate((500, 502, 504)):
        org.mend()
        org.break_("write", "status", status=status, body="<html>Bad gateway</html>")
        with pytest.raises(AmbiguousError):
            crm.write([change(record, score=3)])
        assert len(org.requests("write")) == number + 1


def test_a_whole_batch_is_one_call_in_its_own_order(org: Org, crm: Crm, change: Any) -> None:
    """As many rows as the capabilities say."""
    ids = org.many("accounts", min(crm.capabilities.write_batch, 400), at=org.now)[::-1]
    crm.describe(crm.object_name("accounts"))
    asked = len(org.requests())
    results = crm.write([change(each, score=number % 100) for number, each in enumerate(ids)])
    assert [each.id for each in results] == ids
    assert set(outcomes(results)) == {RowOutcome.APPLIED}
    assert len(org.requests()) == asked + 1
    held = crm.read(crm.object_name("accounts"), ids, [org.ours("score")])
    assert [held[each].values[org.ours("score")] for each in ids] == [n % 100 for n in range(len(ids))]


def test_a_call_that_cannot_be_right_is_a_mistake_of_the_caller(org: Org, crm: Crm, change: Any) -> None:
    """Nothing to write is nothing; a record twice, or two objects, is refused here."""
    record = org.create("accounts", name="A")
    crm.describe(crm.object_name("accounts"))
    asked = len(org.requests())
    assert crm.write([]) == []
    with pytest.raises(ValueError, match="once"):
        crm.write([change(record, score=1), change(record, "again", score=2)])
    other = Change(key="k", object=crm.object_name("contacts"), id=record, values={})
    with pytest.raises(ValueError, match="object"):
        crm.write([change(record, score=1), other])
    assert len(org.requests()) == asked
