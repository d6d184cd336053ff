"""Tokens, scopes, rate limits and faults."""

from __future__ import annotations

import json
from collections.abc import Callable

import hubspot
import pytest
import requests

from connectors.sandbox.faults import Edit, FaultRule
from connectors.sandbox.hubspot.auth import SCOPES, Auth, grant
from connectors.sandbox.hubspot.limits import BURST, DAILY, SECONDLY, RateLimits
from connectors.sandbox.hubspot.settings import Settings
from connectors.sandbox.server import Sandbox
from connectors.sandbox.wire import Request

Ask = Callable[..., requests.Response]
Companies = Callable[..., str]
COMPANIES = "/crm/v3/objects/companies"


def secret(sandbox: Sandbox, name: str) -> str:
    """A secret of the account."""
    return (sandbox.folder / "secrets" / name).read_text()


def test_a_refresh_token_gives_an_access_token(client: hubspot.Client, sandbox: Sandbox) -> None:
    """It works, tells its scopes, and a wrong secret gives none."""
    facts = json.loads((sandbox.folder / "sandbox.json").read_text())
    form = {"grant_type": "refresh_token", "client_id": facts["client_id"]}
    form["refresh_token"] = secret(sandbox, "refresh_token")
    made = client.oauth.tokens_api.create(**form, client_secret=secret(sandbox, "client_secret"))
    info = client.oauth.access_tokens_api.get(made.access_token)
    assert (made.expires_in, info.hub_id, tuple(info.scopes)) == (1800, facts["portal_id"], SCOPES)
    client.access_token = made.access_token
    assert client.crm.companies.basic_api.get_page().results == []
    refused = requests.post(
        f"{sandbox.url}/oauth/v1/token", data={**form, "client_secret": "wrong"}, timeout=10
    )
    assert (refused.status_code, refused.json()["status"]) == (400, "BAD_CLIENT_SECRET")


def test_a_private_apps_token_tells_its_scopes(sandbox: Sandbox, http: Ask) -> None:
    """By the endpoint for private apps."""
    reply = http(
        "POST", "/oauth/v2/private-apps/get/access-token-info", {"tokenKey": secret(sandbox, "token")}
    )
    assert reply.json()["scopes"] == list(SCOPES)


def test_secrets_are_for_their_owner_only(sandbox: Sandbox) -> None:
    """Mode 0600 each."""
    modes = {path.name: path.stat().st_mode & 0o777 for path in (sandbox.folder / "secrets").iterdir()}
    assert modes == dict.fromkeys(("token", "client_secret", "refresh_token"), 0o600)


def test_a_wrong_token_is_refused_and_an_expired_one_says_so(sandbox: Sandbox) -> None:
    """401 with the vendor's two categories."""
    wrong = requests.get(sandbox.url + COMPANIES, headers={"Authorization": "Bearer nobody"}, timeout=10)
    assert (wrong.status_code, wrong.json()["category"]) == (401, "INVALID_AUTHENTICATION")
    now = [1_000_000.0]
    auth = Auth(store=sandbox.store, now=lambda: now[0])
    meta = sandbox.store.meta
    form = "&".join(
        f"{name}={meta[f'app.{name}']}" for name in ("client_id", "client_secret", "refresh_token")
    )
    body = f"grant_type=refresh_token&{form}".encode()
    reply = json.loads(auth.token(Request(number=1, method="POST", path="", body=body)).body)
    call = Request(
        number=2, method="GET", path="", headers={"authorization": f"Bearer {reply['access_token']}"}
    )
    assert auth.check(call) == "oauth"
    now[0] += 1801
    with pytest.raises(Exception, match="EXPIRED_AUTHENTICATION"):
        auth.check(call)


def test_a_missing_scope_is_named(http: Ask, sandbox: Sandbox) -> None:
    """403 with the scope that the call needs; reading still works."""
    grant(sandbox.store, tuple(scope for scope in SCOPES if scope != "crm.objects.companies.write"))
    refused = http("POST", COMPANIES, {"properties": {"name": "Acme"}})
    assert (refused.status_code, refused.json()["category"]) == (403, "MISSING_SCOPES")
    needed = refused.json()["errors"][0]["context"]["requiredGranularScopes"]
    assert needed == ["crm.objects.companies.write"]
    assert http("GET", COMPANIES).status_code == 200


def test_the_burst_limit_refuses_and_names_its_policy(
    start: Callable[..., Sandbox], ask: Callable[[Sandbox], Ask]
) -> None:
    """Headers count down; the call beyond the limit changes nothing."""
    http = ask(start(burst=3))
    left = [http("GET", COMPANIES).headers["X-HubSpot-RateLimit-Remaining"] for _ in range(3)]
    assert left == ["2", "1", "0"]
    refused = http("POST", COMPANIES, {"properties": {"name": "Acme"}})
    assert (refused.status_code, refused.json()["policyName"]) == (429, BURST)
    assert refused.json()["errorType"] == "RATE_LIMIT"


def test_the_daily_limit_refuses_and_the_usage_endpoint_tells(
    start: Callable[..., Sandbox], ask: Callable[[Sandbox], Ask]
) -> None:
    """Used and allowed, in headers and in account-info."""
    http = ask(start(daily=2))
    usage = http("GET", "/account-info/v3/api-usage/daily/private-apps")
    assert usage.json()["results"][0] | {"collectedAt": "", "resetsAt": ""} == {
        "name": "private-apps-api-calls-daily",
        "usageLimit": 2,
        "currentUsage": 1,
        "collectedAt": "",
        "fetchStatus": "SUCCESS",
        "resetsAt": "",
    }
    assert usage.headers["X-HubSpot-RateLimit-Daily-Remaining"] == "1"
    http("GET", COMPANIES)
    refused = http("GET", COMPANIES)
    assert (refused.status_code, refused.json()["policyName"]) == (429, DAILY)


def test_limits_roll_with_the_machines_clock(sandbox: Sandbox) -> None:
    """Ten seconds later the burst is free again, one second later the searches."""
    at = [100.0]
    limits = RateLimits(
        store=sandbox.store,
        settings=Settings(burst=4, searches=2),
        monotonic=lambda: at[0],
        now=lambda: at[0],
    )
    assert [limits.admit(search=True) for _ in range(3)] == [None, None, SECONDLY]
    at[0] += 1.01
    assert [limits.admit(search=True) for _ in range(3)] == [None, None, SECONDLY]
    assert limits.admit(search=False) == BURST
    at[0] += 10
    assert limits.admit(search=False) is None


def test_search_replies_carry_no_limit_headers(http: Ask) -> None:
    """The vendor leaves them out there."""
    reply = http("POST", f"{COMPANIES}/search", {})
    assert not [name for name in reply.headers if name.lower().startswith("x-hubspot-ratelimit")]
    assert "Date" in reply.headers


def test_a_429_fault_is_the_vendors(http: Ask, sandbox: Sandbox) -> None:
    """Its code is the policy."""
    sandbox.faults.replace([FaultRule(kind="status", status=429, code=SECONDLY, endpoint="companies.search")])
    reply = http("POST", f"{COMPANIES}/search", {})
    assert (reply.status_code, reply.json()["policyName"]) == (429, SECONDLY)
    assert http("GET", COMPANIES).status_code == 200


def test_a_reset_after_the_write_leaves_it_written(http: Ask, sandbox: Sandbox) -> None:
    """The reply is lost, the record is there."""
    sandbox.faults.replace([FaultRule(kind="reset_after", endpoint="companies.create", times=1)])
    with pytest.raises(requests.ConnectionError):
        http("POST", COMPANIES, {"properties": {"name": "Acme"}})
    assert len(http("GET", COMPANIES).json()["results"]) == 1


def test_a_locked_row_refuses_the_call_with_423(http: Ask, sandbox: Sandbox, company: Companies) -> None:
    """To be tried again; nothing of the batch is written."""
    keys = [company(seats="1"), company(seats="1")]
    sandbox.faults.replace([FaultRule(kind="lock", endpoint="*.batch.update", ids=(keys[1],), times=1)])
    body = {"inputs": [{"id": key, "properties": {"seats": "2"}} for key in keys]}
    refused = http("POST", f"{COMPANIES}/batch/update", body)
    assert (refused.status_code, refused.json()["category"]) == (423, "LOCKED")
    read = http("GET", f"{COMPANIES}/{keys[0]}", properties="seats").json()
    assert read["properties"]["seats"] == "1"
    assert http("POST", f"{COMPANIES}/batch/update", body).status_code == 200


def test_a_person_edits_just_before_the_request(http: Ask, sandbox: Sandbox, company: Companies) -> None:
    """The edit is theirs in the audit, and the request sees it."""
    key = company(seats="1")
    edit = Edit(object="companies", id=key, values={"seats": "5"})
    sandbox.faults.replace([FaultRule(kind="edit", endpoint="companies.read", edit=edit, times=1)])
    read = http("GET", f"{COMPANIES}/{key}", properties="seats").json()
    assert read["properties"]["seats"] == "5"
    assert sandbox.audit.changes()[-1].by.startswith("user:")


def test_an_expired_session_stays_invalid(http: Ask, sandbox: Sandbox) -> None:
    """The token is refused from that request on."""
    sandbox.faults.replace([FaultRule(kind="expire_session", request=(1,))])
    assert http("GET", COMPANIES).status_code == 401
    assert http("GET", COMPANIES).status_code == 401


def test_endpoints_have_names_for_faults_and_audit(http: Ask, sandbox: Sandbox) -> None:
    """Object type and verb, the same in both dialects."""
    http("GET", COMPANIES)
    http("GET", "/crm/objects/2026-03/0-2")
    http("POST", "/crm/v4/associations/contacts/companies/batch/read", {"inputs": [{"id": "1"}]})
    http("GET", "/nowhere")
    names = [request.endpoint for request in sandbox.audit.requests()]
    assert names == ["companies.list", "companies.list", "associations.batch.read", "unknown"]


def test_an_account_survives_a_restart(start: Callable[..., Sandbox], ask: Callable[[Sandbox], Ask]) -> None:
    """Records, token and properties are there again."""
    first = start()
    ask(first)("POST", COMPANIES, {"properties": {"name": "Acme"}})
    first.close()
    again = start()
    assert ask(again)("GET", COMPANIES).json()["results"][0]["properties"]["name"] == "Acme"
