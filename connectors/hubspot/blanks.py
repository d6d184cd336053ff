"""Blanks around a cell that is no free text: HubSpot keeps them, visible or not, and they mean nothing.

Developer changelog, "Enhanced Validations for Non-String Properties": that they would be refused was
announced, put off and cancelled, so numbers, dates and choices may have them.
"""

from __future__ import annotations

from typing import Final

_INVISIBLE: Final = "\u200b\u200c\u200d\u2060\ufeff"  # strip() alone takes them for letters


def trimmed(text: str) -> str:
    """The cell without the blanks around it."""
    return text.strip().strip(_INVISIBLE).strip()
