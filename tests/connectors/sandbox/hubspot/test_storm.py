"""Faults of a write as a client of the HubSpot account meets them, and what the audit tells of them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import requests

from connectors.sandbox.faults import FaultRule
from connectors.sandbox.server import Sandbox
from connectors.sandbox.storm import storm

Ask = Callable[..., requests.Response]
Write = Callable[[str], requests.Response]
UPDATE = "/crm/v3/objects/companies/batch/update"


@pytest.fixture
def key(company: Callable[..., str]) -> str:
    """A company without a country."""
    return company(name="Acme")


@pytest.fixture
def write(http: Ask, key: str) -> Write:
    """Give the company a country."""

    def send(country: str) -> requests.Response:
        row = {"id": key, "properties": {"country": country}, "objectWriteTraceId": "t"}
        return http("POST", UPDATE, {"inputs": [row]})

    return send


def first(kind: str, status: int = 503, code: str | None = None) -> list[FaultRule]:
    """The storm's rule of this kind, which now strikes the first write; late ones come when settled."""
    for rule in storm("hubspot", seed=1, quota=1):
        if (rule.kind, rule.status) == (kind, status) and code in (None, rule.code):
            return [
                FaultRule(
                    kind=rule.kind, endpoint=rule.endpoint, request=(1,), status=rule.status, code=rule.code,
                    headers=rule.headers, seconds=3600.0,
                )
            ]  # fmt: skip
    raise AssertionError(f"a storm has no {kind} {status}")


def country_of(http: Ask, key: str) -> object:
    """What the account holds."""
    return http("GET", f"/crm/v3/objects/companies/{key}", properties="country").json()["properties"][
        "country"
    ]


@pytest.mark.parametrize(
    ("status", "code", "policy"),
    [(503, None, None), (429, "TEN_SECONDLY_ROLLING", "TEN_SECONDLY_ROLLING"), (429, "DAILY", "DAILY")],
)
def test_a_refused_write_changes_nothing(
    sandbox: Sandbox, http: Ask, key: str, write: Write, status: int, code: str | None, policy: str | None
) -> None:
    """In the vendor's words, a 429 with its policy's name; the next one is taken."""
    sandbox.faults.replace(first("status", status, code))
    refused = write("1")
    assert (refused.status_code, refused.json().get("policyName")) == (status, policy)
    assert refused.headers.get("Retry-After") == ("1" if policy == "TEN_SECONDLY_ROLLING" else None)
    assert country_of(http, key) is None
    assert write("1").status_code == 200


@pytest.mark.parametrize(("kind", "held"), [("reset_before", None), ("reset_after", "1")])
def test_a_lost_reply_hides_whether_the_write_happened(
    sandbox: Sandbox, http: Ask, key: str, write: Write, kind: str, held: str | None
) -> None:
    """The connection is cut either way."""
    sandbox.faults.replace(first(kind))
    with pytest.raises(requests.ConnectionError):
        write("1")
    assert country_of(http, key) == held


def test_a_late_write_is_applied_after_its_client_has_given_up(
    sandbox: Sandbox, http: Ask, key: str, write: Write
) -> None:
    """Over what was written meanwhile."""
    sandbox.faults.replace(first("late"))
    with pytest.raises(requests.ConnectionError):
        write("late")
    assert country_of(http, key) is None
    assert write("in time").status_code == 200
    sandbox.settle_late()
    assert country_of(http, key) == "late"


def test_the_audit_names_the_rows_of_every_writing_request(
    sandbox: Sandbox, http: Ask, key: str, write: Write
) -> None:
    """Also of one that was cut off; equal contents have equal digests."""
    before = len(sandbox.audit.rows())
    sandbox.faults.replace([FaultRule(kind="reset_before", endpoint="companies.batch.update", times=1)])
    with pytest.raises(requests.ConnectionError):
        write("1")
    write("1")
    http("PATCH", f"/crm/v3/objects/companies/{key}", {"properties": {"country": "2"}})
    for _ in range(2):
        http("POST", "/crm/v3/objects/companies/batch/create", {"inputs": [{"properties": {"name": "B"}}]})
    http("POST", "/crm/v3/objects/companies/batch/read", {"inputs": [{"id": key}], "properties": ["country"]})
    rows = sandbox.audit.rows()[before:]
    assert [row.id for row in rows] == [key, key, key, None, None]
    digests = [row.digest for row in rows]
    assert digests[0] == digests[1] != digests[2]
    assert digests[3] == digests[4]
