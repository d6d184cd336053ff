"""Composite calls: references, limits, all-or-none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import requests

from connectors.sandbox.server import Sandbox

Http = Callable[..., requests.Response]
ROOT = "/services/data/v68.0"


def sub(name: str, method: str, url: str, body: Any = None) -> dict[str, Any]:
    """One subrequest."""
    entry: dict[str, Any] = {"referenceId": name, "method": method, "url": ROOT + url}
    return entry if body is None else {**entry, "body": body}


def test_a_subrequest_has_headers_of_its_own(sandbox: Sandbox, http: Http) -> None:
    """A condition that fails concerns that record only; what the call itself says can't be repeated."""
    ids = [http("POST", "/sobjects/Account", json={"Name": n}).json()["id"] for n in "ab"]
    old, new = "Mon, 05 Jan 2026 08:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT"

    def patch(headers: dict[str, str]) -> requests.Response:
        first = sub("one", "PATCH", f"/sobjects/Account/{ids[0]}", {"Phone": "1"})
        second = sub("two", "PATCH", f"/sobjects/Account/{ids[1]}", {"Phone": "1"})
        parts = [first | {"httpHeaders": headers}, second | {"httpHeaders": {"If-Unmodified-Since": new}}]
        return http("POST", "/composite", json={"compositeRequest": parts})

    results = patch({"If-Unmodified-Since": old}).json()["compositeResponse"]
    assert [r["httpStatusCode"] for r in results] == [412, 204]
    held = [sandbox.store.row("Account", key) or {} for key in ids]
    assert [row["Phone"] for row in held] == [None, "1"]
    for name in ("Accept", "Authorization", "Content-Type"):
        refused = patch({name: "x"})
        assert (refused.status_code, name.lower() in refused.text) == (400, True)


def test_a_later_subrequest_uses_an_earlier_ones_id(sandbox: Sandbox, http: Http) -> None:
    """One API call for all of them."""
    requests_before = sandbox.audit.requests()
    body = {
        "compositeRequest": [
            sub("acme", "POST", "/sobjects/Account", {"Name": "Acme"}),
            sub("ito", "POST", "/sobjects/Contact", {"LastName": "Ito", "AccountId": "@{acme.id}"}),
            sub("found", "GET", "/query?q=SELECT+Id,Account.Name+FROM+Contact+WHERE+Id='@{ito.id}'"),
            sub("again", "GET", "/sobjects/Contact/@{found.records[0].Id}"),
        ]
    }
    results = http("POST", "/composite", json=body).json()["compositeResponse"]
    assert [r["httpStatusCode"] for r in results] == [201, 201, 200, 200]
    assert results[2]["body"]["records"][0]["Account"]["Name"] == "Acme"
    assert [r["referenceId"] for r in results] == ["acme", "ito", "found", "again"]
    assert sum(r.api_calls for r in sandbox.audit.requests()[len(requests_before) :]) == 1


def test_all_or_none_rolls_back_and_halts(http: Http) -> None:
    """The culprit keeps its own error."""
    body = {
        "allOrNone": True,
        "compositeRequest": [
            sub("one", "POST", "/sobjects/Account", {"Name": "Acme"}),
            sub("two", "POST", "/sobjects/Account", {"Nmae": "x"}),
            sub("three", "POST", "/sobjects/Account", {"Name": "Z"}),
        ],
    }
    results = http("POST", "/composite", json=body).json()["compositeResponse"]
    codes = [r["body"][0]["errorCode"] for r in results]
    assert codes == ["PROCESSING_HALTED", "INVALID_FIELD", "PROCESSING_HALTED"]
    count = http("GET", "/query", params={"q": "SELECT COUNT() FROM Account"}).json()
    assert count["totalSize"] == 0


def test_without_all_or_none_only_what_depends_is_halted(http: Http) -> None:
    """The rest is done."""
    body = {
        "compositeRequest": [
            sub("bad", "POST", "/sobjects/Account", {"Nmae": "x"}),
            sub("child", "POST", "/sobjects/Contact", {"LastName": "Ito", "AccountId": "@{bad.id}"}),
            sub("good", "POST", "/sobjects/Account", {"Name": "Acme"}),
        ]
    }
    results = http("POST", "/composite", json=body).json()["compositeResponse"]
    assert [r["httpStatusCode"] for r in results] == [400, 400, 201]
    assert results[1]["body"][0]["errorCode"] == "PROCESSING_HALTED"


def test_five_collections_carry_a_thousand_records(http: Http) -> None:
    """Six are refused, and so are 26 subrequests."""
    record = {"attributes": {"type": "Account"}, "Name": "x"}
    part = {"records": [record] * 200}
    five = [sub(f"c{n}", "POST", "/composite/sobjects", part) for n in range(5)]
    results = http("POST", "/composite", json={"compositeRequest": five}).json()["compositeResponse"]
    assert sum(len(r["body"]) for r in results) == 1_000
    assert all(row["success"] for r in results for row in r["body"])
    six = [*five, sub("c5", "POST", "/composite/sobjects", part)]
    many = [sub(f"s{n}", "GET", "/limits") for n in range(26)]
    for requests_ in (six, many):
        refused = http("POST", "/composite", json={"compositeRequest": requests_})
        assert (refused.status_code, refused.json()[0]["errorCode"]) == (400, "LIMIT_EXCEEDED")


def test_reference_ids_must_be_there_and_distinct(http: Http) -> None:
    """Otherwise the whole call is refused."""
    twice = [sub("a", "GET", "/limits"), sub("a", "GET", "/limits")]
    unknown = [sub("a", "GET", "/sobjects/Account/@{b.id}")]
    for requests_ in (twice, unknown):
        assert http("POST", "/composite", json={"compositeRequest": requests_}).status_code == 400
