"""What is not built is refused, not passed over."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.errors import SettingError
from sync.built import check_built
from sync.config import load


@pytest.mark.parametrize(
    ("setting", "text"),
    [
        ("owners.expansion", '[owners]\nexpansion = "ae"\n'),
    ],
)
def test_a_setting_whose_feature_is_missing_is_refused(tmp_path: Path, setting: str, text: str) -> None:
    """The setting is named with what to use instead; the defaults pass."""
    file = tmp_path / "upswell.toml"
    file.write_text(f'[crm]\nkind = "salesforce"\n{text}')
    settings = load(file, {})
    with pytest.raises(SettingError, match=setting):
        check_built(settings)


def test_the_defaults_are_built() -> None:
    """A configuration that asks for nothing special passes."""
    check_built(load(None, {"UPSWELL_CRM__KIND": "salesforce"}))
