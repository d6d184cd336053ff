"""Which events say that people met, or asked for, what their plan lacks."""

from __future__ import annotations

import re

import pytest

from model.partials import GATES


@pytest.mark.parametrize(
    "event",
    [
        "preview_opened", "Preview Opened", "feature_preview_viewed", "preview", "upgrade_prompt_shown",
        "paywall.hit", "trial_started", "export_locked", "premium_feature_clicked", "Add-on requested",
    ],
)  # fmt: skip
def test_what_the_plan_lacks_is_met_at_a_gate(event: str) -> None:
    """In the words that products use for it, whatever stands between them."""
    assert re.search(GATES, event.lower())


@pytest.mark.parametrize(
    "event",
    [
        "file_preview_opened", "link_preview", "preview_file", "print_preview", "email_preview_sent",
        "industrial_report", "unlocked_door", "premium_support_ticket", "feature_used", "page_viewed",
    ],
)  # fmt: skip
def test_everyday_use_is_no_gate(event: str) -> None:
    """A file that is looked at, and words that only hold one of ours."""
    assert not re.search(GATES, event.lower())
