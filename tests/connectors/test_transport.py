"""The one HTTP door."""

from __future__ import annotations

import socket
import time
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from connectors.errors import (
    AmbiguousError,
    QuotaError,
    SettingError,
    TerminalError,
    TransientError,
    UpswellError,
)
from connectors.transport import HttpDoor, RequestSeen, RetryPolicy, Timeouts, check_url


def free_port() -> int:
    """A port of this machine on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize(
    "url",
    ["https://acme.my.salesforce.com/", "http://127.0.0.1:8080", "http://localhost:1", "http://[::1]:9"],
)
def test_https_and_plain_http_to_this_machine_are_accepted(url: str) -> None:
    """A trailing slash is taken off."""
    assert check_url(url, setting="x") == url.rstrip("/")


@pytest.mark.parametrize(
    "url",
    [
        "http://acme.my.salesforce.com",
        "http://127.0.0.1.evil.example",
        "http://localhost.example",
        "http://0.0.0.0:80",
        "ftp://127.0.0.1",
        "acme.my.salesforce.com",
        "https://user:pass@acme.my.salesforce.com",
        "",
    ],
)
def test_any_other_address_is_refused_by_its_setting(url: str) -> None:
    """Plain http would send the login unencrypted."""
    with pytest.raises(SettingError) as caught:
        check_url(url, setting="crm.salesforce.login_url")
    assert caught.value.setting == "crm.salesforce.login_url"
    assert "user:pass" not in str(caught.value)


def test_https_to_a_loopback_address_is_spoken_as_http(web: Any, make_answer: Any) -> None:
    """simple-salesforce insists on https; the sandbox speaks http."""
    web.answers = [make_answer(body='{"a": 1}')]
    with HttpDoor(plain_http=(web.url,)) as door:
        assert door.request("GET", web.url.replace("http:", "https:") + "/x").json() == {"a": 1}


def test_a_company_proxy_is_not_asked_for_this_machine(
    web: Any, make_answer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """HTTP_PROXY is for the world outside."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    web.answers = [make_answer(), make_answer()]
    with HttpDoor(plain_http=(web.url,)) as door:
        assert door.request("GET", web.url).status_code == 200
        assert door.request("GET", web.url.replace("http:", "https:")).status_code == 200


def test_the_environment_is_read_once_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its proxy and its certificates hold for every call, and are looked up for the first."""
    looked: list[str] = []
    real = requests.sessions.get_environ_proxies

    def counting(url: str, no_proxy: str | None = None) -> Any:
        looked.append(url)
        return real(url, no_proxy=no_proxy)

    monkeypatch.setattr(requests.sessions, "get_environ_proxies", counting)
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/ca.pem")
    with HttpDoor() as door:
        for path in ("a", "b?c=d"):
            found = door.merge_environment_settings(f"https://crm.example/{path}", {}, None, True, None)
            assert found["proxies"]["https"] == "http://proxy.example:3128"
            assert found["verify"] == "/ca.pem"
        other = door.merge_environment_settings("https://login.example/", {}, None, "/own.pem", None)
        assert other["verify"] == "/own.pem"
    assert len(looked) == 2


def test_plain_http_to_another_host_is_refused_whatever_the_caller_does() -> None:
    """The door itself checks, not only the settings."""
    with HttpDoor(plain_http=("http://example.test",)) as door, pytest.raises(TerminalError, match="refused"):
        door.request("GET", "http://example.test/")


def test_an_unreachable_host_is_named_with_the_fix() -> None:
    """Nothing was sent, so it may be sent again."""
    port = free_port()
    with HttpDoor() as door, pytest.raises(TransientError) as caught:
        door.request("GET", f"http://127.0.0.1:{port}/")
    assert not isinstance(caught.value, AmbiguousError)
    assert f"127.0.0.1:{port} can't be reached" in str(caught.value)
    assert "Fix:" in str(caught.value)


@pytest.mark.parametrize("lost", ["reset", "cut"])
def test_a_lost_reply_is_ambiguous(web: Any, make_answer: Any, lost: str) -> None:
    """The server may have acted on the request."""
    web.answers = ["reset" if lost == "reset" else make_answer(body='{"a"', declared=500)]
    with HttpDoor() as door, pytest.raises(AmbiguousError, match="reply was lost"):
        door.request("POST", web.url + "/write", data="{}")


def test_a_server_that_never_answers_is_left_after_the_timeout() -> None:
    """A silent peer costs the read timeout and no more."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        with HttpDoor(timeouts=Timeouts(read=0.05)) as door, pytest.raises(AmbiguousError):
            door.request("GET", url)


def test_redirects_are_not_followed_and_a_netrc_is_not_consulted(
    web: Any, make_answer: Any, monkeypatch: Any, tmp_path: Any
) -> None:
    """The token goes to one host, and nothing replaces it."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    web.answers = [make_answer(status=302, headers={"Location": "http://127.0.0.1:1/"})]
    with HttpDoor() as door:
        reply = door.request("GET", web.url, headers={"Authorization": "Bearer token"})
    assert reply.status_code == 302
    assert web.heard[0].headers["Authorization"] == "Bearer token"


def test_each_request_is_counted_and_shown_without_query_or_secret(web: Any, make_answer: Any) -> None:
    """The request log has method, host, path, status and time."""
    seen: list[RequestSeen] = []
    web.answers = [make_answer(status=404), "reset"]
    with HttpDoor(on_request=seen.append) as door:
        door.request("GET", web.url + "/query?q=SELECT+secret")
        with pytest.raises(AmbiguousError):
            door.request("POST", web.url + "/x")
        assert door.calls == 2
    assert [(s.method, s.path, s.status) for s in seen] == [("GET", "/query", 404), ("POST", "/x", None)]


def test_the_servers_clock_is_read_from_its_last_reply(web: Any, make_answer: Any) -> None:
    """The Date header is kept."""
    web.answers = [make_answer()]
    with HttpDoor() as door:
        assert door.server_time is None
        door.request("GET", web.url)
        assert door.server_time is not None
        assert abs((datetime.now(UTC) - door.server_time).total_seconds()) < 60


def test_the_servers_clock_goes_on_between_replies(web: Any, make_answer: Any, monkeypatch: Any) -> None:
    """An idle connection does not make the server's time stand still."""
    web.answers = [make_answer()]
    with HttpDoor() as door:
        door.request("GET", web.url)
        then = door.server_time
        now = time.monotonic()
        monkeypatch.setattr(time, "monotonic", lambda: now + 3600)
        assert then is not None
        assert door.server_time is not None
        assert 3599 < (door.server_time - then).total_seconds() < 3700


def test_a_missing_ca_file_is_a_wrong_setting() -> None:
    """Said before any connection is made."""
    with pytest.raises(SettingError, match="does not exist"):
        HttpDoor(ca_file="/nowhere/ca.pem")


class Flaky:
    """Raises the errors given, one a call, then returns 'done'."""

    def __init__(self, *errors: UpswellError) -> None:
        self.errors = list(errors)
        self.calls = 0

    def __call__(self) -> str:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "done"


def test_a_passing_fault_is_retried_with_growing_waits() -> None:
    """Backoff doubles, with jitter on top."""
    waits: list[float] = []
    call = Flaky(TransientError("a"), TransientError("b"), TransientError("c"))
    assert RetryPolicy(sleep=waits.append).run(call, resend_lost=False) == "done"
    assert call.calls == 4
    assert waits[0] <= 1.0
    assert 1.0 <= waits[1] <= 1.5
    assert 2.0 <= waits[2] <= 2.5


def test_a_wait_that_the_server_asks_for_is_honoured_unless_it_is_long() -> None:
    """Up to two minutes are waited out; an hour is the scheduler's business."""
    waits: list[float] = []
    policy = RetryPolicy(sleep=waits.append)
    assert policy.run(Flaky(TransientError("busy", retry_after=7)), resend_lost=False) == "done"
    assert waits == [7]
    with pytest.raises(TransientError):
        policy.run(Flaky(TransientError("busy", retry_after=3600)), resend_lost=False)


@pytest.mark.parametrize(("resend", "calls"), [(True, 2), (False, 1)])
def test_a_lost_reply_is_sent_again_for_reads_only(resend: bool, calls: int) -> None:
    """A write whose reply was lost is never sent again blindly."""
    call = Flaky(AmbiguousError("lost"))
    try:
        RetryPolicy(sleep=lambda _: None).run(call, resend_lost=resend)
    except AmbiguousError:
        assert not resend
    assert call.calls == calls


@pytest.mark.parametrize("error", [QuotaError("over"), TerminalError("no")])
def test_quota_and_refusals_are_not_retried(error: UpswellError) -> None:
    """They do not pass within seconds."""
    call = Flaky(error)
    with pytest.raises(type(error)):
        RetryPolicy(sleep=lambda _: None).run(call, resend_lost=True)
    assert call.calls == 1


def test_retries_end_with_the_last_error() -> None:
    """Five attempts by default."""
    call = Flaky(*(TransientError(str(n)) for n in range(9)))
    with pytest.raises(TransientError, match="4"):
        RetryPolicy(sleep=lambda _: None).run(call, resend_lost=True)
    assert call.calls == 5
