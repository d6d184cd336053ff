"""Calls to the org: retries, refresh, quota and what is counted."""

from __future__ import annotations

import json
from typing import Any

import pytest

from connectors.budget import DailyBudget
from connectors.crm import Change
from connectors.errors import AmbiguousError, QuotaError, SetupError, TerminalError, TransientError
from connectors.salesforce.client import encode
from connectors.salesforce.crm import Salesforce
from connectors.salesforce.settings import SalesforceSettings
from connectors.transport import RetryPolicy

TOKEN = '{"access_token": "token-%d-value", "instance_url": "%s", "id": "https://x/id/00D/005"}'


def fake_org(web: Any, make_answer: Any, *answers: Any) -> Salesforce:
    """A connection to a server whose answers after the login the test decides."""
    logins = iter(range(1, 100))
    queue = list(answers)

    def answer(request: Any) -> Any:
        if request.path.endswith("/oauth2/token"):
            return make_answer(body=TOKEN % (next(logins), web.url))
        return queue.pop(0)

    web.answer = answer
    settings = SalesforceSettings(
        login_url=web.url, auth="client_credentials", client_id="a", client_secret="secret-b"
    )
    return Salesforce.connect(settings, retry=RetryPolicy(sleep=lambda _: None))


EXPIRED = '[{"errorCode": "INVALID_SESSION_ID", "message": "Session expired or invalid"}]'


def test_the_callers_headers_survive_the_renewal_of_a_session(web: Any, make_answer: Any) -> None:
    """simple-salesforce alone drops them, and a conditional write becomes an unconditional one."""
    crm = fake_org(web, make_answer, make_answer(status=401, body=EXPIRED), make_answer(body="{}"))
    crm._client.restful("sobjects/Contact/003", headers={"If-Unmodified-Since": "then"})
    first, second = (each for each in web.heard if "Contact" in each.path)
    assert first.headers["If-Unmodified-Since"] == second.headers["If-Unmodified-Since"] == "then"
    assert first.headers["Authorization"] != second.headers["Authorization"]


def test_a_passing_outage_is_waited_out(org: Any) -> None:
    """503 twice, then the answer."""
    crm = org.connect()
    org.fault(kind="status", endpoint="*query*", status=503, times=2)
    assert crm.org().id


def test_a_lasting_outage_ends_in_a_transient_error(org: Any) -> None:
    """With the vendor's code and what was asked."""
    crm = org.connect()
    org.fault(kind="status", endpoint="*describe*", status=503)
    with pytest.raises(TransientError, match=r"SERVER_UNAVAILABLE.*describe"):
        crm.describe("Account")


@pytest.mark.parametrize("kind", ["reset_before", "reset_after"])
def test_a_read_is_sent_again_after_a_lost_reply(org: Any, kind: str) -> None:
    """Reading twice does no harm."""
    crm = org.connect()
    org.fault(kind=kind, endpoint="*query*", times=1)
    assert crm.org().id


@pytest.mark.parametrize("kind", ["reset_before", "reset_after"])
def test_a_write_is_never_sent_again_after_a_lost_reply(org: Any, kind: str) -> None:
    """It is reported as ambiguous, and the org heard it once."""
    account = org.create("Account", Name="Acme")
    crm = org.connect()
    crm.describe("Account")
    org.fault(kind=kind, method="PATCH")
    change = Change(key="k", object="Account", id=account, values={"Name": "New"})
    with pytest.raises(AmbiguousError):
        crm.write([change])
    assert len([each for each in org.requests() if each.method == "PATCH"]) == 1
    held = crm.read("Account", [account], ["Name"])[account]
    assert held.values["Name"] == ("New" if kind == "reset_after" else "Acme")


@pytest.mark.parametrize("status", [500, 502, 504])
def test_a_server_error_leaves_the_fate_of_a_write_open(org: Any, status: int) -> None:
    """The write may have been committed before it."""
    account = org.create("Account", Name="Acme")
    crm = org.connect()
    org.fault(kind="status", method="PATCH", status=status, code="UNKNOWN_EXCEPTION")
    with pytest.raises(AmbiguousError):
        crm.write([Change(key="k", object="Account", id=account, values={"Name": "New"})])


def test_half_a_reply_to_a_write_is_a_lost_reply(web: Any, make_answer: Any) -> None:
    """A proxy may cut the body without anybody noticing the length."""
    crm = fake_org(web, make_answer, make_answer(body='[{"id": "001", "succ'))
    with pytest.raises(AmbiguousError, match="cut off"):
        crm._client.send("PATCH", "composite/sobjects", {})


def test_a_reply_that_is_no_json_is_somebody_elses(web: Any, make_answer: Any) -> None:
    """A captive portal or a proxy answers in HTML."""
    crm = fake_org(web, make_answer, make_answer(body='<a href="x">]'))
    with pytest.raises(TerminalError, match="not Salesforce's API"):
        crm._client.read("limits")


def test_an_org_out_of_calls_is_a_pause_and_no_retry(org: Any) -> None:
    """403 REQUEST_LIMIT_EXCEEDED is a QuotaError at once."""
    crm = org.connect()
    org.fault(kind="status", endpoint="*describe*", status=403, code="REQUEST_LIMIT_EXCEEDED")
    with pytest.raises(QuotaError, match="REQUEST_LIMIT_EXCEEDED"):
        crm.describe("Account")
    assert len(org.requests("/describe")) == 1


def test_our_calls_and_the_orgs_use_are_told(org: Any) -> None:
    """Logins are not API calls."""
    crm = org.connect()
    assert crm.usage().calls == 0
    crm.org()
    usage = crm.usage()
    assert usage.calls == 1  # a query
    assert usage.org_used == 1
    assert usage.org_limit == 100_000


def test_the_budget_is_asked_before_each_call(org: Any) -> None:
    """What it refuses does not leave."""
    budget = DailyBudget(share=0.00001)  # 1 of 100,000
    crm = org.connect(budget=budget)
    crm.org()
    before = len(org.requests())
    with pytest.raises(QuotaError, match="Upswell has made 1 of its 1"):
        crm.describe("Account")
    assert len(org.requests()) == before


def test_the_servers_clock_is_the_orgs(org: Any) -> None:
    """The sandbox's date, not the machine's."""
    crm = org.connect()
    now = org.sandbox.clock.now()
    assert abs((crm.server_time() - now).total_seconds()) < 60


def test_an_object_that_the_org_lacks_is_named(org: Any) -> None:
    """As SetupError."""
    crm = org.connect()
    with pytest.raises(SetupError, match="Nonsense__c"):
        crm.describe("Nonsense__c")


@pytest.mark.parametrize("name", ["Account/../User", "Account?x=1", "", "A B"])
def test_a_name_that_cannot_be_an_object_is_never_sent(org: Any, name: str) -> None:
    """Names from settings end up in addresses."""
    crm = org.connect()
    before = len(org.requests())
    with pytest.raises(SetupError):
        crm.describe(name)
    assert len(org.requests()) == before


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_nan_never_leaves_as_json(value: float) -> None:
    """Python would write it, simple-salesforce would send it."""
    with pytest.raises(ValueError, match="JSON"):
        encode({"records": [{"x": value}]})
    assert json.loads(encode({"x": 1.5})) == {"x": 1.5}
