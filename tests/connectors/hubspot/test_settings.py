"""Settings and dialects of a HubSpot connection."""

from __future__ import annotations

import pytest

from connectors.errors import SettingError
from connectors.hubspot.paths import DIALECTS, paths_of
from connectors.hubspot.settings import HubspotSettings


def test_the_dated_paths_put_the_version_behind_the_api() -> None:
    """The vendor's addresses, as its reference gives them."""
    paths = paths_of("2026-03")
    assert paths.batch("companies", "read") == "/crm/objects/2026-03/companies/batch/read"
    assert paths.links_of("companies", "deals") == "/crm/associations/2026-03/companies/deals/batch/read"
    assert paths.details == "/account-info/2026-03/details"
    assert paths_of("v3").links_of("companies", "deals") == "/crm/v4/associations/companies/deals/batch/read"


def test_dialects_differ_in_nothing_but_their_roots() -> None:
    """Each dialect knows the same addresses."""
    below = {name: paths.batch("x", "read").removeprefix(paths.objects) for name, paths in DIALECTS.items()}
    assert set(below.values()) == {"/x/batch/read"}


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({}, "crm.hubspot.token"),
        ({"client_id": "a", "client_secret": "b"}, "crm.hubspot.refresh_token"),
        ({"token": "t", "refresh_token": "r"}, "crm.hubspot.token"),
        ({"token": "t", "api_version": "2025-09"}, "crm.hubspot.api_version"),
        ({"token": "t", "base_url": "http://api.hubapi.com"}, "crm.hubspot.base_url"),
        ({"token": "t", "base_url": "https://me:secret@api.hubapi.com"}, "crm.hubspot.base_url"),
    ],
)
def test_what_cannot_work_is_refused_by_name(given: dict[str, str], named: str) -> None:
    """A missing or contradictory login, an unknown version and plain http are setting errors."""
    with pytest.raises(SettingError) as caught:
        HubspotSettings(**given)  # type: ignore[arg-type]  # strings only
    assert caught.value.setting == named


def test_a_traceback_shows_no_secret() -> None:
    """repr() has the address and no credential."""
    shown = repr(HubspotSettings(token="pat-na1-secret"))
    assert "secret" not in shown
    assert "api.hubapi.com" in shown
