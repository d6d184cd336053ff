"""`upswell target check`, and what a changed target means for scoring and training."""

from __future__ import annotations

from typing import Any

import pytest


def state(home: Any, old: str, new: str) -> None:
    """Change a line of the settings."""
    text = home.config.read_text("utf-8")
    assert old in text
    home.config.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.mark.slow
def test_a_target_is_checked_changed_and_learnt_anew(home: Any) -> None:
    """Its sentence, its months and who is let in; after a change scores warn until one is trained for it."""
    found = home.upswell("target", "check").data
    assert found["number"] == 1
    assert found["since"] == home.first_run["data"]["train"]["model_version"]
    assert sum(month["expansions"] for month in found["months"]) == found["expansions"] > 50
    assert found["eligible"] == found["customers"] > 100
    assert {kind["opportunity_type"] for kind in found["kinds"] if not kind["counted"]} >= {"Renewal"}

    state(home, 'type = "tier"', 'type = "tier"\nreplaces = "Stater"')
    (misspelt,) = (
        each for each in home.upswell("target", "check").data["problems"] if "offered" in each["message"]
    )
    assert "P-TIER" in misspelt["message"]
    state(home, 'replaces = "Stater"', "")

    state(home, "[target]", "[target]\neligible = \"segmint != 'Enterprise'\"")
    wrong = home.upswell("target", "check")
    assert wrong.exit_code == 2
    assert "Did you mean segment" in wrong.errors[0]["fix"]

    state(home, "segmint", "segment")
    changed = home.upswell("target", "check").data
    assert (changed["number"], changed["since"]) == (2, None)
    assert 0 < changed["eligible"] < changed["customers"] == found["customers"]
    assert changed["clauses"] == [{"text": "segment != 'Enterprise'", "accounts": changed["eligible"]}]
    assert changed["fingerprint"] != found["fingerprint"]

    scored = home.upswell("score")
    assert scored.data["accounts"] == changed["eligible"]
    assert any("another target" in warning for warning in scored.warnings)
