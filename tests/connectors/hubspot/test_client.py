"""The client's behaviour on a bad day, against a HubSpot account on a real port."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.budget import DailyBudget
from connectors.errors import LoginError, QuotaError, SetupError, TerminalError, TransientError
from connectors.fields import field_specs
from connectors.hubspot.crm import Hubspot
from connectors.hubspot.scopes import missing
from connectors.hubspot.settings import HubspotSettings
from connectors.pace import LocalPace
from connectors.transport import RetryPolicy

DETAILS = "/account-info/2026-09/details"


def test_a_wrong_token_is_a_login_error_without_the_token(account: Any) -> None:
    """The error says what to check and does not repeat the credential."""
    crm = account.connect(account.settings(token="pat-na1-00000000-wrong"))
    with pytest.raises(LoginError) as caught:
        crm.org()
    assert "pat-na1" not in str(caught.value)
    assert len(account.requests(DETAILS)) == 1


def test_an_expired_oauth_token_is_renewed_once(account: Any) -> None:
    """A 401 in mid-run costs one refresh and the call goes through."""
    crm = account.connect(account.oauth(api_version="v3"))
    account.fault(kind="expire_session", request=(1,), endpoint="companies.list")
    list(crm._client.pages("/crm/v3/objects/companies", {}))
    assert len(account.requests("/oauth/")) == 2


def test_an_oauth_token_is_renewed_before_it_expires(account: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A minute before: no call of ours meets a 401 for its age. A static token is never renewed."""
    crm = account.connect(account.oauth())
    now = crm._client._clock()
    for minutes, logins in ((28.9, 1), (29.1, 2), (57, 2), (58.2, 3)):
        monkeypatch.setattr(crm._client, "_clock", lambda later=now + 60 * minutes: later)
        crm._client.get(DETAILS)
        assert len(account.requests("/oauth/")) == logins, minutes
    static = account.connect()
    monkeypatch.setattr(static._client, "_clock", lambda: now + 1e9)
    static.org()
    assert len(account.requests("/oauth/")) == 3
    assert all(each.status == 200 for each in account.requests())


def test_endless_refusals_end(account: Any) -> None:
    """A token that is refused after its refresh raises LoginError instead of logging in for ever."""
    crm = account.connect(account.oauth(api_version="v3"))
    account.fault(kind="status", status=401, code="EXPIRED_AUTHENTICATION")
    with pytest.raises((LoginError, TransientError)):
        crm.org()
    assert len(account.requests("/oauth/")) <= 2


@pytest.mark.parametrize("version", ["v3", "2026-03", "2026-09"])
def test_a_refresh_token_logs_in_by_every_dialect(account: Any, version: str) -> None:
    """Credentials travel in the body, never in the address."""
    account.connect(account.oauth(api_version=version)).org()
    token = "/oauth/v1/token" if version == "v3" else f"/oauth/{version}/token"
    assert len(account.requests(token)) == 1


def test_a_wrong_client_secret_is_a_login_error(account: Any) -> None:
    """HubSpot's own reason comes with the fix."""
    with pytest.raises(LoginError, match=r"BAD_CLIENT_SECRET"):
        account.connect(account.oauth(api_version="v3", client_secret="nope-nope-nope"))


def test_a_read_is_sent_again_after_a_lost_reply(account: Any) -> None:
    """A reset in the middle of a read costs one more call and nothing else."""
    crm = account.connect()
    account.fault(kind="reset_after", times=1)
    assert crm.org().kind == "hubspot"
    assert len(account.requests(DETAILS)) == 2


def test_a_busy_server_is_asked_again_after_a_wait(account: Any) -> None:
    """503 passes; the waits grow."""
    waits: list[float] = []
    crm = account.connect(retry=RetryPolicy(sleep=waits.append))
    account.fault(kind="status", status=503, times=3)
    crm.org()
    assert len(waits) == 3
    assert waits == sorted(waits)


def test_a_burst_limit_is_waited_out_and_a_daily_one_is_not(account: Any) -> None:
    """TEN_SECONDLY_ROLLING waits its ten seconds; DAILY raises QuotaError at once."""
    waits: list[float] = []
    crm = account.connect(retry=RetryPolicy(sleep=waits.append))
    account.fault(kind="status", status=429, code="TEN_SECONDLY_ROLLING", times=1)
    crm.org()
    assert waits == [10.0]
    account.fault(kind="status", status=429, code="DAILY")
    with pytest.raises(QuotaError):
        crm._client.get(DETAILS)
    assert waits == [10.0]


def test_a_wait_is_one_for_a_rate_limit_only_after_a_429(account: Any) -> None:
    """usage() tells how long limits held us back; an outage that was waited out is no limit."""
    crm = account.connect()
    account.fault(kind="status", status=503, code="SERVICE_UNAVAILABLE", times=2)
    crm.org()
    assert crm.usage().waited == 0.0
    account.fault(kind="status", status=429, code="TEN_SECONDLY_ROLLING", times=2)
    crm._client.get(DETAILS)
    assert crm.usage().waited == 20.0


def test_no_second_has_more_than_five_searches(
    account: Any, tmp_path: Path, opened: Callable[..., Any]
) -> None:
    """With HubSpot's own limits, twelve searches in a row pass without a single 429."""
    strict = opened(tmp_path / "strict", searches=5, burst=190)
    crm = strict.connect(retry=RetryPolicy())
    for _ in range(12):
        crm._client.search("companies", {"limit": 1})
    assert {200} == {request.status for request in strict.requests("search")}
    assert crm.usage().waited > 1


def test_the_account_tells_its_burst_and_daily_limit(tmp_path: Path, opened: Callable[..., Any]) -> None:
    """Headers of replies set the pace, and usage() holds the account's figures."""
    small = opened(tmp_path / "small", burst=40, daily=1000)
    pace = LocalPace()
    crm = small.connect(pace=pace)
    for _ in range(3):
        crm._client.get(DETAILS)
    used = crm.usage()
    assert (used.calls, used.org_used, used.org_limit) == (3, 3, 1000)
    assert pace.allowed("burst") == 40


def test_the_budget_is_asked_before_each_call(account: Any) -> None:
    """A used-up share stops the run with QuotaError instead of using the account's calls."""
    budget = DailyBudget(share=0.000005)  # three calls of 650,000
    crm = account.connect(budget=budget)
    for _ in range(3):
        crm._client.get(DETAILS)
    with pytest.raises(QuotaError, match="share"):
        crm._client.get(DETAILS)
    assert len(account.requests(DETAILS)) == 3


def test_missing_scopes_are_a_setup_error(account: Any) -> None:
    """403 names the scopes that the app lacks."""
    account.grant("oauth")
    with pytest.raises(SetupError, match=r"crm\.schemas\.companies\.read"):
        account.connect().describe("companies")


def test_an_unknown_object_is_a_setup_error(account: Any) -> None:
    """An object that the account does not have is a matter of setup."""
    with pytest.raises((SetupError, TerminalError), match="unicorns"):
        account.connect().describe("unicorns")


def test_an_unreachable_host_names_itself() -> None:
    """A closed port gives one clear error, after the attempts that were allowed."""
    settings = HubspotSettings(base_url="http://127.0.0.1:9", token="pat-na1-x")
    crm = Hubspot.connect(settings, retry=RetryPolicy(attempts=2, sleep=lambda _: None))
    with pytest.raises(TransientError, match=r"127\.0\.0\.1:9 can't be reached"):
        crm.org()


def test_the_server_clock_is_the_accounts(account: Any) -> None:
    """server_time() is the Date header of the last reply, which follows the account's clock."""
    crm = account.connect()
    before = crm.server_time()
    account.advance(days=30)
    crm._client.get(DETAILS)
    assert abs(crm.server_time() - before - timedelta(days=30)) < timedelta(minutes=1)


def test_an_account_survives_a_restart(our_account: Any, tmp_path: Path, opened: Callable[..., Any]) -> None:
    """The org's id does not change with the address: a plan stays bound to it."""
    copy = tmp_path / "copy"
    identity = our_account.connect().org().id
    our_account.close()
    shutil.copytree(our_account.folder, copy)
    assert opened(copy).connect().org().id == identity


@pytest.mark.parametrize("version", ["v3", "2026-09"])
@pytest.mark.parametrize("login", ["settings", "oauth"])
def test_what_the_app_may_do_is_known_for_either_login(account: Any, login: str, version: str) -> None:
    """OAuth tells it with the token; for a static token it is asked once."""
    account.grant("oauth", "crm.objects.companies.read")
    crm = account.connect(getattr(account, login)(api_version=version))
    granted = crm._client.scopes()
    assert granted == crm._client.scopes() == {"oauth", "crm.objects.companies.read"}
    assert len(account.requests("access-token-info")) == (login == "settings")
    assert next(iter(missing(granted))).name == "crm.objects.contacts.read"


def test_the_scopes_of_a_new_app_are_all_that_we_need(account: Any) -> None:
    """So that what an app is told to ask for is enough."""
    assert missing(account.connect()._client.scopes()) == ()


def test_a_token_that_never_holds_costs_two_logins(account: Any) -> None:
    """Also where a part of the work could do without the answer."""
    crm = account.connect(account.oauth())
    account.fault(kind="expire_session", endpoint="*batch.create")
    with pytest.raises(LoginError, match="refuses it"):
        crm.install(list(field_specs().values()), apply=True)
    assert len(account.requests("/oauth/2026-09/token")) == 2
