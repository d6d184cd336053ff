"""Logging in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from connectors.errors import LoginError, SettingError, SetupError, TransientError
from connectors.fields import field_specs
from connectors.salesforce.crm import Salesforce
from connectors.salesforce.settings import SalesforceSettings
from connectors.transport import RetryPolicy


def logins(org: Any) -> int:
    """How often a token was asked for."""
    return len(org.requests("/oauth2/token"))


@pytest.mark.parametrize("auth", ["jwt", "client_credentials", "refresh_token"])
def test_each_way_to_log_in_reaches_the_org(org: Any, auth: str) -> None:
    """One login, then calls."""
    crm = org.connect(org.settings(auth))
    assert crm.org().id.startswith("00D")
    assert logins(org) == 1


@pytest.mark.parametrize(
    ("auth", "changes", "word"),
    [
        ("client_credentials", {"client_secret": "wrong-secret-value"}, "client_secret"),
        ("client_credentials", {"client_id": "3MVGunknown"}, "client_id"),
        ("refresh_token", {"refresh_token": "revoked-token-value"}, "revoked"),
        ("jwt", {"username": "nobody@northwind.example"}, "approved"),
    ],
)
def test_a_refused_login_says_what_to_check_and_shows_no_secret(
    org: Any, auth: str, changes: dict[str, str], word: str
) -> None:
    """One attempt: a refusal does not pass by itself."""
    with pytest.raises(LoginError) as caught:
        org.connect(org.settings(auth, **changes))
    assert word in str(caught.value.fix)
    assert caught.value.exit_code == 2
    assert "wrong-secret-value" not in str(caught.value)
    assert "revoked-token-value" not in str(caught.value)
    assert logins(org) == 1


def test_a_key_that_salesforce_does_not_know_is_refused(org: Any, tmp_path: Path) -> None:
    """Another key signs, Salesforce says no."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    other = tmp_path / "other.pem"
    other.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    with pytest.raises(LoginError):
        org.connect(org.settings("jwt", private_key_file=str(other)))


@pytest.mark.parametrize("content", [None, "no key at all", "\x00\xff"])
def test_an_unusable_key_file_is_a_wrong_setting(org: Any, tmp_path: Path, content: str | None) -> None:
    """Missing or no PEM: named with the fix, and nothing is sent."""
    path = tmp_path / "key.pem"
    if content is not None:
        path.write_text(content, encoding="latin-1")
    with pytest.raises(SettingError) as caught:
        org.connect(org.settings("jwt", private_key_file=str(path)))
    assert caught.value.setting == "crm.salesforce.private_key_file"
    assert logins(org) == 0


def test_a_web_page_is_no_salesforce(web: Any, make_answer: Any) -> None:
    """A wrong login_url is said in one sentence."""
    web.answers = [make_answer(body="<html>Welcome</html>", headers={"Content-Type": "text/html"})]
    settings = SalesforceSettings(
        login_url=web.url, auth="client_credentials", client_id="a", client_secret="b"
    )
    with pytest.raises(LoginError, match="no Salesforce login"):
        Salesforce.connect(settings)


def test_an_unreachable_org_names_the_host() -> None:
    """After the retries."""
    settings = SalesforceSettings(
        login_url="http://127.0.0.1:9", auth="client_credentials", client_id="a", client_secret="b"
    )
    with pytest.raises(TransientError, match=r"127\.0\.0\.1:9 can't be reached"):
        Salesforce.connect(settings, retry=RetryPolicy(attempts=2, sleep=lambda _: None))


def test_an_expired_session_is_renewed_once_and_the_call_succeeds(org: Any) -> None:
    """Two logins in all."""
    crm = org.connect()
    org.fault(kind="expire_session", endpoint="*query*", request=(1,))
    assert crm.org().name
    assert logins(org) == 2


def test_a_session_that_never_holds_costs_two_logins(org: Any) -> None:
    """simple-salesforce alone would log in without end."""
    crm = org.connect()
    org.fault(kind="expire_session", endpoint="*describe*")
    with pytest.raises(LoginError, match="refuses it"):
        crm.describe("Account")
    assert logins(org) == 2


@pytest.mark.parametrize(
    ("changes", "setting"),
    [
        ({"auth": "password"}, "auth"),
        ({"client_secret": ""}, "client_secret"),
        ({"api_version": "68"}, "api_version"),
        ({"login_url": "http://acme.my.salesforce.com"}, "login_url"),
        ({"instance_url": "acme"}, "instance_url"),
    ],
)
def test_settings_that_cannot_work_name_themselves(changes: dict[str, str], setting: str) -> None:
    """Before anything is sent."""
    right = {
        "login_url": "https://acme.my.salesforce.com",
        "auth": "client_credentials",
        "client_id": "a",
        "client_secret": "b",
    }
    with pytest.raises(SettingError) as caught:
        SalesforceSettings(**{**right, **changes})
    assert caught.value.setting == f"crm.salesforce.{setting}"


def test_settings_shown_in_a_traceback_hold_no_secret() -> None:
    """Their representation is address and user."""
    settings = SalesforceSettings(
        login_url="https://a.example", auth="client_credentials", client_id="id-1", client_secret="s3cr3t-x"
    )
    assert "s3cr3t-x" not in repr(settings)


def test_a_version_that_the_org_lacks_is_told_with_those_that_it_has(org: Any) -> None:
    """Salesforce itself answers 404, as if the first object that is asked for did not exist."""
    crm = org.connect(org.settings(api_version="99.0"))
    with pytest.raises(
        SettingError, match=r"version 99\.0 .* it has 31\.0 to 68\.0.*66\.0, 67\.0, 68\.0"
    ) as caught:
        crm.org()
    assert caught.value.setting == "crm.salesforce.api_version"


def test_a_good_version_costs_no_question(org: Any) -> None:
    """Nor does an object that is not there, once anything was answered well."""
    crm = org.connect()
    crm.org()
    with pytest.raises(SetupError, match="no such object"):
        crm.describe("Nothing__c")
    assert [each for each in org.requests("/services/data") if each.endpoint == "versions"] == []


def test_an_org_that_does_not_tell_its_versions_gets_the_call_s_own_error(org: Any) -> None:
    """A proxy may keep the list back."""
    crm = org.connect(org.settings(api_version="99.0"))
    org.fault(kind="status", endpoint="versions", status=403)
    with pytest.raises(SetupError, match="no such object"):
        crm.describe("Account")


def test_a_session_that_never_holds_ends_an_install_after_two_logins(org: Any) -> None:
    """No part of it goes on without one."""
    crm = org.connect()
    org.fault(kind="expire_session", endpoint="tooling.query")
    with pytest.raises(LoginError):
        crm.install(list(field_specs().values()), apply=True)
    assert logins(org) == 2
