"""Settings whose feature this version lacks: refused where they would change what is written."""

from __future__ import annotations

from connectors.errors import SettingError
from sync.settings import Settings


def check_built(settings: Settings) -> None:
    """Raise SettingError for a setting that the plan would otherwise pass over in silence."""
    lacking = (
        (
            settings.owners.expansion != "csm",
            "owners.expansion",
            "tasks for other owners",
            'expansion = "csm"',
        ),
    )
    for asked, setting, feature, instead in lacking:
        if asked:
            raise SettingError(
                f"this version has no {feature} yet.", setting=setting, searched=(), fix=f"use {instead}"
            )
