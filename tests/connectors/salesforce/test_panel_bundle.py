"""The built panel is what its sources make, needs nobody, and shows in a browser what the user may see."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from connectors.fields import field_specs, permission_specs
from infra.panels.browser import page, rendered, words

ROOT = Path(__file__).parents[3]
PROJECT = ROOT / "connectors" / "salesforce" / "package"
BUNDLE = ROOT / "worker" / "panels" / "salesforce.js"
VALUES: dict[str, Any] = {
    "score": 63,
    "tier": "very_high",
    "change": 8,
    "expected_arr": 17001,
    "arr_low": 11914,
    "arr_high": 44388,
    "play": "expand",
    "product": "Additional Seats",
    "timing": "now",
    "health": "green",
    "reason_1": "Seats 96 % used (usage, 25 Nov)",
    "against_1": "No meeting for 5 months </script> (activities, 1 Jun)",
    "brief": "Open with:\nThe seats are nearly full.",
    "data_as_of": "2026-11-25",
    "opt_out": False,
    "feedback": "useful",
}
Read = Callable[..., str]


@pytest.fixture
def read(binary: Callable[[str, str], Path], tmp_path: Path) -> Read:
    """The words and the HTML of the panel with these fields, as a browser renders it."""
    chromium = binary("chromium", "chromium")

    def said(keys: set[str], **preview: Any) -> str:
        specs = field_specs()
        fields = {specs[key].salesforce: VALUES.get(key) for key in keys}
        given = {
            "record": {"id": "001000000000001AAA", "name": "Kite", "object": "Account"},
            "fields": fields,
        }
        html = rendered(
            chromium,
            page(BUNDLE.read_text(encoding="utf-8"), {**given, "today": "2026-11-27", **preview}),
            tmp_path,
        )
        assert 'data-ready="true"' in html
        return words(html)

    return said


def readable(*sets: str) -> set[str]:
    """Keys of the account fields that these permission sets show."""
    specs = field_specs()
    return {key for name in sets for key in permission_specs()[name].read if specs[key].object == "accounts"}


def test_the_bundle_is_what_its_sources_make(tmp_path: Path) -> None:
    """Byte for byte; `npm run build` in the project makes it anew."""
    rollup = PROJECT / "node_modules" / "rollup" / "dist" / "bin" / "rollup"
    if not rollup.exists():
        pytest.skip(f"the panel's packages are not installed: npm ci in {PROJECT.relative_to(ROOT)}")
    built = tmp_path / "salesforce.js"
    command = ["node", str(rollup), "--config", "preview/rollup.config.mjs", "--silent", "--file", str(built)]
    subprocess.run(command, cwd=PROJECT, check=True, timeout=200)
    assert built.read_bytes() == BUNDLE.read_bytes(), "npm run build was not run after the last change"


def test_the_bundle_reaches_for_nothing_outside() -> None:
    """No address but names of XML and licences, no path of a machine, no map of its sources."""
    text = BUNDLE.read_text(encoding="utf-8")
    addresses = set(re.findall(r"https?://([\w.-]+)", text))
    assert addresses <= {"www.w3.org", "polymer.github.io", "lwc.dev", "sfdc.co"}
    assert text.count("fetch(") == 1  # the engine's own, in a mode that is off
    assert not re.search(r"XMLHttpRequest|importScripts|sourceMappingURL|/force-app/|node_modules", text)


def test_the_panel_shows_what_all_permission_sets_together_show(read: Read) -> None:
    """And marks by a pressed button what the record holds."""
    told = read(
        readable("Upswell_Configure") | {"opt_out", "feedback"},
        editable=[field_specs()["feedback"].salesforce],
        currency="EUR",
        locale="de-DE",
    )
    for each in ("63", "Very high", "+8 since the last scoring", "17.001 €", "Additional Seats", "Green"):
        assert each in told
    assert VALUES["reason_1"] in told
    assert VALUES["against_1"] in told  # a text of the CRM's is text, whatever it looks like
    assert "The seats are nearly full." in told
    assert "Wrong data" in told


def test_without_read_reasons_the_score_is_shown_and_no_reason(read: Read) -> None:
    """Nor an amount, which another permission set shows."""
    told = read(readable("Upswell_Read_Scores"))
    assert "63" in told
    assert permission_specs()["Upswell_Read_Reasons"].label in told
    for hidden in (VALUES["reason_1"], "No meeting", "The seats are nearly full.", "17,001"):
        assert hidden not in told


def test_without_any_permission_the_panel_is_polite_and_empty(read: Read) -> None:
    """It names the permission set to ask for."""
    told = read(set())
    assert permission_specs()["Upswell_Read_Scores"].label in told
    assert "63" not in told
