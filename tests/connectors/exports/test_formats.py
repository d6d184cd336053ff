"""Formats are told by content, and what was declared is held to it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

from connectors.errors import InputError
from connectors.exports.formats import NAMES, VENDORS, recognise
from connectors.exports.spec import ExportSpec
from infra.doubles.analytics import amplitude_event, mixpanel_event, pendo_row, posthog_event, segment_call
from sync.settings_exports import Export

EVENTS = {
    "amplitude": amplitude_event(1),
    "mixpanel": mixpanel_event(1),
    "segment": segment_call("track", 1, event="x"),
    "posthog": posthog_event(1),
    "pendo": pendo_row(),
    "table": {"account_key": "a", "user_id": "u", "event": "e", "at": "2026-11-02T09:00:00Z"},
}


def spec_of(path: Path, **settings: Any) -> ExportSpec:
    """A spec of events in that file."""
    return ExportSpec(**{"kind": "events", "path": str(path), **settings})


@pytest.mark.parametrize("name", EVENTS)
def test_each_format_is_recognised_by_its_names(tmp_path: Path, name: str) -> None:
    """The file is called what it is not."""
    path = tmp_path / "events.csv"
    path.write_text(json.dumps(EVENTS[name]) + "\n")
    assert recognise(spec_of(path), path) == name
    assert recognise(spec_of(path, format=name), path) == name
    assert recognise(spec_of(path, format="table"), path) == "table"


@pytest.mark.parametrize("declared", VENDORS)
@pytest.mark.parametrize("name", EVENTS)
def test_a_format_declared_wrongly_is_one_clear_error(load: Any, declared: str, name: str) -> None:
    """It says what the file looks like instead, and shows its columns."""
    if declared == name:
        return
    with pytest.raises(InputError, match=f"is not {VENDORS[declared].title} of events") as caught:
        load(json.dumps(EVENTS[name]) + "\n", format=declared)
    if name != "table":
        assert VENDORS[name].title in caught.value.message
    assert "format" in str(caught.value.fix)


def test_a_vendors_file_of_another_kind_is_said(load: Any) -> None:
    """Events are no users."""
    with pytest.raises(InputError, match="It looks like Mixpanel's raw export of events"):
        load(json.dumps(EVENTS["mixpanel"]) + "\n", kind="users", account_key="properties.company_id")


def test_a_kind_that_no_vendor_delivers_is_a_table(load: Any) -> None:
    """Names that look like a vendor's mean nothing in a file of billing."""
    row = {**EVENTS["amplitude"], "period_start": "2026-11-01"}
    table = load(json.dumps(row) + "\n", kind="billing", account_key="app")
    assert table.column("account_key").to_pylist() == ["123456"]


def test_the_settings_know_every_format() -> None:
    """What may be written in upswell.toml is what can be read."""
    assert set(get_args(get_type_hints(Export)["format"])) == set(NAMES)
