"""A thousand records in one call, in five parts that fare each on its own."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from connectors.crm import Change, RowOutcome, RowResult, TaskDraft
from connectors.errors import AmbiguousError, SetupError, TerminalError, TransientError
from connectors.salesforce.crm import Salesforce

SCORE = "Expansion_Score__c"


@pytest.fixture
def crm(our_org: Any) -> Salesforce:
    """A connection that knows the object already."""
    made: Salesforce = our_org.connect()
    made.describe("Account")
    return made


def scores(ids: list[str]) -> list[Change]:
    """A score for each."""
    return [
        Change(key=each, object="Account", id=each, values={SCORE: n % 100}) for n, each in enumerate(ids)
    ]


def outcomes(results: list[RowResult]) -> Counter[RowOutcome]:
    """How many rows came to which end."""
    return Counter(result.outcome for result in results)


def written(our_org: Any) -> set[str]:
    """The records that bear a score."""
    return {each.id for each in our_org.sandbox.audit.changes() if each.field == SCORE}


def test_a_thousand_records_cost_one_call_and_keep_their_order(our_org: Any, crm: Salesforce) -> None:
    """Five parts of two hundred; the org's own count agrees."""
    ids = our_org.many_accounts(1000)
    before = our_org.requests()
    results = crm.write(scores(ids))
    asked = our_org.requests()[len(before) :]
    assert [(each.endpoint, each.api_calls) for each in asked] == [("composite", 1)]
    assert [(r.key, r.outcome) for r in results] == [(each, RowOutcome.APPLIED) for each in ids]
    held = crm.read("Account", ids, [SCORE])
    assert [held[each].values[SCORE] for each in ids] == [n % 100 for n in range(1000)]


@pytest.mark.parametrize(("status", "code"), [(400, "JSON_PARSER_ERROR"), (413, "REQUEST_TOO_LARGE")])
def test_a_part_that_is_refused_whole_says_how_many_it_was_refused_with(
    our_org: Any, crm: Salesforce, status: int, code: str
) -> None:
    """The other parts are written; one of the two hundred is meant, and nobody knows which."""
    ids = our_org.many_accounts(500)
    our_org.fault(kind="part", part=2, status=status, code=code, message="which of them?")
    results = crm.write(scores(ids))
    refused = [each for each in results if each.outcome is RowOutcome.REFUSED]
    assert [each.key for each in refused] == ids[200:400]
    assert {(each.refused_with, each.vendor_code) for each in refused} == {(199, code)}
    assert all("which of them?" in str(each.message) for each in refused)
    assert written(our_org) == set(ids[:200] + ids[400:])


def test_a_part_for_which_the_server_was_not_there_may_pass_later(our_org: Any, crm: Salesforce) -> None:
    """Its rows failed, none of them is lost."""
    ids = our_org.many_accounts(401)
    our_org.fault(kind="part", part=1, status=503, code="SERVER_UNAVAILABLE")
    results = crm.write(scores(ids))
    assert outcomes(results) == {RowOutcome.FAILED: 200, RowOutcome.APPLIED: 201}
    assert {each.refused_with for each in results} == {0}


def test_a_part_that_broke_off_has_no_results(our_org: Any, crm: Salesforce) -> None:
    """A server error may come after the write: what became of those rows is for a reading to tell."""
    ids = our_org.many_accounts(401)
    our_org.fault(kind="part", part=1, status=500, code="UNKNOWN_EXCEPTION")
    assert [each.key for each in crm.write(scores(ids))] == ids[200:]


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (400, "JSON_PARSER_ERROR", TerminalError),
        (400, "INVALID_FIELD", SetupError),
        (503, "SERVER_UNAVAILABLE", TransientError),
        (500, "UNKNOWN_EXCEPTION", AmbiguousError),
    ],
)
def test_what_all_parts_come_to_is_the_calls_own_error(
    our_org: Any, crm: Salesforce, status: int, code: str, error: type[Exception]
) -> None:
    """As if it had been one part."""
    ids = our_org.many_accounts(201)
    our_org.sandbox.faults.clear()
    for part in (1, 2):
        our_org.sandbox.faults.add(kind="part", part=part, status=status, code=code)
    with pytest.raises(error) as caught:
        crm.write(scores(ids))
    assert type(caught.value) is error


def test_rows_are_refused_one_by_one_in_every_part(our_org: Any, crm: Salesforce) -> None:
    """Deleted ones, locked ones, and a value that we don't let out."""
    ids = our_org.many_accounts(450)
    our_org.delete("Account", ids[410])
    our_org.fault(kind="lock", ids=[ids[5], ids[205]])
    changes = scores(ids)
    changes[300] = Change(key=ids[300], object="Account", id=ids[300], values={SCORE: float("inf")})
    results = {each.key: each.outcome for each in crm.write(changes)}
    assert [results[ids[n]].value for n in (5, 205, 300, 410)] == ["failed", "failed", "refused", "gone"]
    assert Counter(results.values())[RowOutcome.APPLIED] == 446


def test_parts_out_of_their_order_are_ambiguous(our_org: Any, crm: Salesforce, monkeypatch: Any) -> None:
    """And a part with too few results tells nothing of its own rows only."""
    ids = our_org.many_accounts(202)
    rows = [{"id": each, "success": True, "errors": []} for each in ids]
    first = {"referenceId": "part0", "httpStatusCode": 200, "body": rows[:200]}
    second = {"referenceId": "part1", "httpStatusCode": 200, "body": rows[200:]}
    replies: list[Any] = [{"compositeResponse": [second, first]}, {"compositeResponse": [first]}, {}]
    for reply in replies:
        monkeypatch.setattr(crm._client, "send", lambda *_, reply=reply: reply)
        with pytest.raises(AmbiguousError):
            crm.write(scores(ids))
    cut = {"compositeResponse": [first, second | {"body": rows[200:201]}]}
    monkeypatch.setattr(crm._client, "send", lambda *_: cut)
    assert [each.key for each in crm.write(scores(ids))] == ids[:200]


def test_tasks_are_made_by_the_thousand_too(our_org: Any, crm: Salesforce) -> None:
    """Those of one account side by side, their results in the order of the drafts; closed in one call."""
    ids = our_org.many_accounts(3)
    due = our_org.sandbox.clock.now().date()
    drafts = [
        TaskDraft(key=f"k{n}", subject="s", body="b", due=due, owner_id=None, account_crm_id=ids[n % 3],
                  contact_crm_id=None)
        for n in range(400)
    ]  # fmt: skip
    results = crm.create_tasks(drafts)
    assert [each.key for each in results] == [draft.key for draft in drafts]
    assert outcomes(results) == {RowOutcome.APPLIED: 400}
    accounts = [each.after for each in our_org.sandbox.audit.changes() if each.field == "WhatId"]
    assert accounts == sorted(accounts)
    before = len(our_org.requests())
    closed = crm.close_tasks({str(each.id): "over" for each in results})
    assert outcomes(closed) == {RowOutcome.APPLIED: 400}
    writes = [each for each in our_org.requests()[before:] if each.endpoint == "composite"]
    assert len(writes) == 1
