"""The built card is what its sources make, needs nobody, and shows in a browser what the user may see."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from connectors.fields import field_specs, group_specs
from connectors.shown import editable, readable, shown
from infra.panels.browser import page, rendered, words
from infra.panels.kits import kits, run
from infra.panels.node import of_wheel, on_path

ROOT = Path(__file__).parents[3]
BUNDLE = ROOT / "worker" / "panels" / "hubspot.js"
CSM = group_specs()["Upswell_CSM"].sets
VALUES: dict[str, Any] = {
    "score": 63,
    "tier": "very_high",
    "change": 8,
    "expected_arr": 17001.4,
    "arr_low": 11914,
    "arr_high": 44388,
    "play": "expand",
    "product": "Additional Seats",
    "timing": "now",
    "health": "green",
    "reason_1": "Seats 96 % used (usage, 25 Nov)",
    "against_1": "No meeting for 5 months </script> (activities, 1 Jun)",
    "brief": "Open with:\nThe seats are nearly full.",
    "opt_out": False,
    "feedback": "useful",
}
Read = Callable[..., str]


@pytest.fixture
def read(binary: Callable[[str, str], Path], tmp_path: Path) -> Read:
    """The words of the app as a person with these permissions sees it in a place."""

    def said(sets: tuple[str, ...], place: str, **preview: Any) -> str:
        given = {
            "record": {"id": "9001", "name": "Kite", "object": "COMPANY"},
            "fields": shown("hubspot", VALUES, readable(sets)),
            "editable": [field_specs()[key].hubspot for key in editable(sets)],
            "locale": "de-DE",
            "currency": "EUR",
            "today": "2026-11-27",
            "place": place,
        }
        shows = page(BUNDLE.read_text(encoding="utf-8"), given | preview)
        html = rendered(binary("chromium", "chromium"), shows, tmp_path)
        assert 'data-ready="true"' in html
        return words(html)

    return said


def test_the_bundle_is_what_its_sources_make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Byte for byte; `make panels` makes it anew."""
    kit = next(kit for kit in kits(ROOT) if kit.name == "HubSpot app")
    node = on_path() or of_wheel()
    if node is None or not (kit.folder / "node_modules").exists():
        pytest.skip("Node or the app's packages are not installed: make panels")
    monkeypatch.setenv("PANEL_FOLDER", str(tmp_path))
    assert run(kit, node, "build") == 0
    assert (tmp_path / BUNDLE.name).read_bytes() == BUNDLE.read_bytes(), "run `make panels` and commit it"


def test_the_bundle_reaches_for_nothing_outside() -> None:
    """No address but names of XML and one in React's messages, no machine's path, no map of sources."""
    text = BUNDLE.read_text(encoding="utf-8")
    assert set(re.findall(r"https?://([\w.-]+)", text)) <= {"www.w3.org", "reactjs.org"}
    assert not re.search(
        r"\bfetch\(|XMLHttpRequest|importScripts|sourceMappingURL|node_modules|/src/app/", text
    )


@pytest.mark.parametrize("place", ["tab", "sidebar"])
def test_a_csm_reads_the_whole_story(read: Read, place: str) -> None:
    """With amounts as the account writes them, and what the record holds marked."""
    told = read(CSM, place)
    for each in ("63", "Very high", "+8 since the last scoring", "17.001 €", "Additional Seats", "Green"):
        assert each in told
    assert VALUES["reason_1"] in told
    assert VALUES["against_1"] in told  # a text of the CRM's is text, whatever it looks like
    assert "The seats are nearly full." in told
    assert "✓ Useful" in told


def test_without_read_reasons_the_score_is_shown_and_no_reason(read: Read) -> None:
    """Nor an amount, which takes access to other properties."""
    told = read(("Upswell_Read_Scores",), "tab")
    assert "63" in told
    assert "Read Reasons" in told
    for hidden in (VALUES["reason_1"], "No meeting", "The seats are nearly full.", "17.001"):
        assert hidden not in told


def test_without_any_permission_the_card_is_polite_and_empty(read: Read) -> None:
    """It says what to ask for."""
    told = read((), "sidebar")
    assert "You don't have access to expansion scores" in told
    assert "63" not in told


def test_the_settings_page_says_what_is_installed_and_who_should_see_what(read: Read) -> None:
    """And how many companies have a score."""
    scored = {field_specs()["scored_at"].hubspot: "2026-11-26T05:12:00.000Z"}
    told = read((), "settings", fields=scored, status={"scored": 1546})
    assert "1546" in told
    assert "Read Reasons" in told
    assert "upswell install" in told
