"""Claude writes the brief of an account of a whole company, from the facts that were really read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.doubles.anthropic.server import KEY, FakeAnthropic, fake_anthropic
from sync.briefs.claude import Fault
from worker.brief_page import WHY_NOT


def asked(home: Any, fake: FakeAnthropic, account: str, *more: str) -> Any:
    """The answer of `upswell brief` with the fake service."""
    env = {"UPSWELL_BRIEFS__BASE_URL": fake.url, "UPSWELL_BRIEFS__API_KEY": KEY}
    return home.upswell("brief", account, "--briefs", "anthropic", *more, env=env)


@pytest.mark.slow
def test_claude_writes_of_real_accounts_in_every_language(home: Any) -> None:
    """Each name of a slot is filled in; no name, address or key goes out; the second time nobody is asked."""
    run = home.upswell("history").data["runs"][0]["run_id"]
    writes = home.upswell("history", run, "--limit", "10000").data["writes"]
    accounts = sorted({write["account_id"] for write in writes if write["kind"] == "task"})[:3]
    with fake_anthropic() as fake:
        for account in accounts:
            for language in ("en", "de", "fr", "es", "ru"):
                told = asked(home, fake, account, "--language", language).data
                assert (told["writer"], told["language"]) == ("anthropic", language), fake.requests[-1]
                assert "{" not in told["brief"]
                name = told["account"]["name"]
                assert name not in json.dumps([json.loads(body) for body in fake.bodies], ensure_ascii=False)
        count = len(fake.requests)
        assert count == 5 * len(accounts)
        again = asked(home, fake, accounts[0]).data
        assert (again["writer"], len(fake.requests)) == ("anthropic", count)
        fake.fault = lambda _: "overloaded"
        plain = home.upswell("brief", accounts[0]).data
        assert (plain["writer"], len(fake.requests)) == ("template", count)
    assert not any("@" in body or KEY in body for body in fake.bodies)


@pytest.mark.slow
def test_a_brief_that_claude_did_not_write_says_why(home: Any) -> None:
    """The template stands in, and who asked for Claude learns what to look at."""
    with fake_anthropic() as fake:
        fake.fault = lambda _: "unauthorized"
        answer = asked(home, fake, "C-00001", "--style", "question-led")
    assert (answer.data["writer"], answer.data["fault"]) == ("template", "denied")
    assert any("API key was refused" in warning for warning in answer.warnings)
    assert KEY not in json.dumps(answer.data)


def test_every_fault_has_words() -> None:
    """None is told by its code."""
    assert set(WHY_NOT) == set(Fault)


@pytest.mark.slow
def test_a_missing_key_is_told_with_the_places_that_were_searched(home: Any) -> None:
    """Nothing is sent, and the way out is named."""
    answer = home.upswell("brief", "C-00001", "--briefs", "anthropic")
    assert answer.exit_code == 2
    assert answer.errors[0]["fix"]
