"""The page with the panels holds what each viewer may see, and nothing that could run in it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from connectors.fields import field_specs, permission_specs
from connectors.shown import KINDS
from sync.find_account import NamedAccount
from sync.panel_record import Held, PanelRecord
from worker.panel_page import VIEWERS, frame, page

HOSTILE = "{script} </script><script>alert('x')</script> <!-- end"
VALUES: dict[str, Any] = {
    "score": 71,
    "tier": "high",
    "probability": 0.7123,
    "expected_arr": 21000.0,
    "reason_1": HOSTILE,
    "reason_codes": ("SEATS_FULL", "USAGE_RISING"),
    "scored_at": datetime(2026, 11, 23, 12, 0, tzinfo=UTC),
    "data_as_of": date(2026, 11, 22),
    "opt_out": False,
    "feedback": "useful",
}


def record(name: str = "Kite & Sons") -> PanelRecord:
    """A record with one neighbour."""
    account = NamedAccount(
        account_id="C-1",
        crm_id="001000000000001AAA",
        external_id="C-1",
        name=name,
        owner_id=None,
        segment=None,
    )
    held = Held(account=account, values=VALUES, currency="EUR")
    other = replace(held, account=replace(account, account_id="C-2", name="Loom"))
    return PanelRecord(held=held, best=(held, other), scored=7, today=date(2026, 11, 27))


def data(html: str) -> Any:
    """The page's data."""
    (found,) = re.findall(r'<script id="data" type="application/json">(.*?)</script>', html, re.DOTALL)
    return json.loads(found)


@pytest.mark.parametrize("kind", KINDS)
def test_a_viewer_is_given_the_fields_of_their_permission_sets_and_no_others(kind: str) -> None:
    """On the record, and in the list of the owner's best accounts."""
    specs = field_specs()
    given = data(page(record()))["previews"][kind]
    for viewer, (_, sets) in VIEWERS.items():
        keys = {
            key for name in sets for key in (*permission_specs()[name].read, *permission_specs()[name].edit)
        }
        names = {getattr(specs[key], kind) for key in keys if specs[key].object == "accounts"}
        if kind == "salesforce" and names:
            names.add("CurrencyIsoCode")
        preview = given[viewer]
        assert set(preview["fields"]) == names
        assert [set(each["fields"]) for each in preview["accounts"]] == [names, names]
        assert set(preview["editable"]) <= names
    assert given["nobody"]["fields"] == {}
    reason = getattr(specs["reason_1"], kind)
    assert reason in given["csm"]["fields"]
    assert reason not in given["no-reasons"]["fields"]


def test_values_stand_as_each_vendor_gives_them() -> None:
    """A panel that only knew our own form would fail where it is deployed."""
    given = data(page(record()))["previews"]
    salesforce, hubspot = (given[kind]["csm"]["fields"] for kind in KINDS)
    assert salesforce["Expansion_Score__c"] == 71
    assert hubspot["expansion_score"] == "71"
    assert salesforce["Expansion_Probability__c"] == 71.23
    assert hubspot["expansion_probability"] == "0.7123"
    assert (
        salesforce["Expansion_Reason_Codes__c"]
        == hubspot["expansion_reason_codes"]
        == "SEATS_FULL;USAGE_RISING"
    )
    assert salesforce["Expansion_Data_As_Of__c"] == hubspot["expansion_data_as_of"] == "2026-11-22"
    assert salesforce["Expansion_Why_Moved__c"] is hubspot["expansion_why_moved"] is None


def test_no_text_of_the_crm_becomes_part_of_the_page() -> None:
    """Names and reasons are other people's words."""
    html = page(record(name=HOSTILE))
    assert "<script>alert" not in html
    assert html.count("<script") == page(record()).count("<script")
    assert data(html)["previews"]["salesforce"]["csm"]["fields"]["Expansion_Reason_1__c"] == HOSTILE
    for kind in KINDS:
        assert "<script>alert" not in frame(record(name=HOSTILE), kind)


def test_nothing_is_loaded_from_anywhere() -> None:
    """The page works on a train."""
    html = page(record())
    assert not re.findall(r"""(?:src|href)=["']?https?:""", html)
    assert "@import" not in html
