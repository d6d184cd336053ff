"""Logging in: which org it is, what a refusal says, and sessions that end."""

from __future__ import annotations

import pytest

from connectors.crm import Change, Crm, RowOutcome
from connectors.errors import LoginError, TerminalError, TransientError
from infra.contract.org import Org, Part, rows_of


def test_a_good_login_tells_which_org_it_is(org: Org, crm: Crm) -> None:
    """Its id stays the same over connections: plans are bound to it."""
    told = crm.org()
    assert told.kind == org.kind
    assert told.id
    assert (told.url, told.currency, told.timezone) == (org.sandbox.url, "USD", "UTC")
    assert told == org.connect().org()


def test_a_refused_login_says_what_to_do_and_no_secret(org: Org) -> None:
    """LoginError, exit code 2."""
    with pytest.raises(LoginError) as refused:
        org.connect("refused").org()
    assert refused.value.fix
    assert refused.value.exit_code == 2
    assert not any(secret in str(refused.value) for secret in org.secrets)


def test_a_server_that_is_not_there_may_come_back(org: Org) -> None:
    """TransientError, for nothing was sent."""
    with pytest.raises(TransientError) as failed:
        org.connect("renewable", url="http://127.0.0.1:9").org()
    assert failed.value.fix


def test_something_else_at_the_address_is_no_crm(org: Org) -> None:
    """A proxy's page is told from an answer."""
    org.sandbox.faults.add(endpoint="*", kind="status", status=200, body="<html>Sign in to the Wi-Fi</html>")
    with pytest.raises(TerminalError) as refused:
        org.connect().org()
    assert refused.value.fix


def test_the_servers_clock_is_told(org: Org, crm: Crm) -> None:
    """To the second, in UTC."""
    assert abs((crm.server_time() - org.now).total_seconds()) < 2
    org.advance(days=3)
    crm.org()
    record = org.create("accounts", name="A")
    crm.read(crm.object_name("accounts"), [record], [org.ours("score")])
    assert abs((crm.server_time() - org.now).total_seconds()) < 2


def test_a_session_that_ends_is_renewed_once_and_the_call_succeeds(org: Org) -> None:
    """One login more, and nobody notices."""
    record = org.create("accounts", name="A")
    parts: tuple[Part, ...] = ("pull", "read", "describe")
    for part in parts:
        before = len(org.requests("login"))
        crm = org.connect("renewable")
        org.break_(part, "expire_session", times=1)
        assert record in crm.read(crm.object_name("accounts"), [record], [org.ours("score")])
        assert [row["crm_id"] for row in rows_of(crm, "accounts")] == [record]
        assert len(org.requests("login")) == before + 2, part


def test_a_write_whose_session_ended_happens_once(org: Org) -> None:
    """The refused call changed nothing, so it is sent again with the new session."""
    crm = org.connect("renewable")
    record = org.create("accounts", name="A")
    org.break_("write", "expire_session", request=1)
    change = Change(key="k", object=crm.object_name("accounts"), id=record, values={org.ours("score"): 7})
    assert [each.outcome for each in crm.write([change])] == [RowOutcome.APPLIED]
    assert len({each.request for each in org.our_changes(record)}) == 1
    assert len(org.requests("login")) == 2


def test_sessions_that_always_end_end_the_run_after_two_logins(org: Org) -> None:
    """A clear error instead of a storm of logins."""
    org.expire_sessions()
    with pytest.raises(LoginError) as refused:
        org.connect("renewable").org()
    assert refused.value.fix
    assert len(org.requests("login")) == 2


def test_a_login_that_fails_for_a_moment_is_tried_again(org: Org) -> None:
    """Before anything else is asked."""
    org.break_("login", "busy", request=1)
    assert org.connect("renewable").org().kind == org.kind
