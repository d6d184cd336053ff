"""A check-up of an account: what it finds, with what to do, and that it changes nothing."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.checkup import Remark
from connectors.fields import field_specs
from connectors.hubspot.scopes import SCOPES

SPECS = list(field_specs().values())


def examined(crm: Any) -> dict[str, Remark]:
    """The remarks by name."""
    return {remark.name: remark for remark in crm.examine(SPECS)}


@pytest.mark.parametrize("version", ["v3", "2026-03", "2026-09"])
def test_a_healthy_account_has_nothing_to_mend(our_account: Any, version: str) -> None:
    """In every dialect; nothing is changed."""
    crm = our_account.connect(our_account.settings(api_version=version))
    changes = len(our_account.sandbox.audit.changes())
    found = examined(crm)
    assert not [remark for remark in found.values() if remark.is_fault]
    assert found["API version"].found == version
    assert found["scopes"].found.endswith("0 of ours missing")
    assert found["tier"].found == "no custom objects"
    assert "custom properties of companies" in found["properties"].found
    assert found["pipeline Sales Pipeline"].fix is None
    assert {"companies", "contacts", "deals", "tickets", "products"} <= set(found)
    assert len(our_account.sandbox.audit.changes()) == changes


def test_each_missing_scope_says_what_it_is_for(our_account: Any) -> None:
    """A fault where nothing works without it, worth knowing where a part does."""
    names = {scope.name for scope in SCOPES} - {"crm.objects.companies.write", "tickets"}
    our_account.grant("oauth", *sorted(names))
    found = examined(our_account.connect())
    assert found["scope crm.objects.companies.write"].is_fault
    assert "write scores" in found["scope crm.objects.companies.write"].found
    assert not found["scope tickets"].is_fault
    assert "tickets are not read" in found["tickets"].found


def test_a_tier_without_room_for_our_properties_is_told_before_the_install(account: Any) -> None:
    """With how many are missing."""
    crm = account.connect()
    full = crm._client.get(crm._client.paths.limits("custom-properties"))
    for each in full["byObjectType"]:
        each["limit"] = each["usage"] + 5
    get = crm._client.get

    def narrow(path: str, params: Any = None) -> Any:
        return full if path.endswith("custom-properties") else get(path, params)

    crm._client.get = narrow
    found = examined(crm)["properties"]
    companies = [spec for spec in SPECS if spec.object == "accounts"]
    assert found.is_fault
    assert f"ours need {len(companies)} more" in found.found


def test_an_enterprise_account_has_custom_objects(tmp_path: Any, opened: Any) -> None:
    """The limits say so, not the name of the tier."""
    crm = opened(tmp_path / "large", enterprise=1).connect()
    assert examined(crm)["tier"].found == "0 of 10 custom objects"


def test_a_pipeline_that_no_deal_can_win_is_told(our_account: Any) -> None:
    """Its deals would teach nothing."""
    crm = our_account.connect()
    stages = crm._examiner.pipelines["deals"]
    crm._examiner.pipelines._known["deals"] = {key: each for key, each in stages.items() if not each.is_won}
    found = examined(crm)["pipeline Sales Pipeline"]
    assert "none of them closed won" in found.found
    assert found.fix is not None


def test_a_column_that_is_mapped_is_not_called_empty(our_account: Any) -> None:
    """The mapping is checked by itself."""
    plain = examined(our_account.connect())["contacts"].found
    mapped = examined(our_account.connect(mapping={"contacts": {"department": "department"}}))["contacts"]
    assert "department (job_function)" in plain
    assert mapped.fix is None
