"""In which language and style an account's briefs are written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from connectors.errors import SettingError
from sync.briefs.styles import STYLES, check_briefs, style_of


def test_styles_are_dealt_out_by_chance_and_stay() -> None:
    """About half of the accounts each, the same on every run; another seed deals them out anew."""
    accounts = [f"C-{n:05}" for n in range(2000)]
    dealt = [style_of(account, STYLES, 0) for account in accounts]
    assert dealt == [style_of(account, STYLES, 0) for account in accounts]
    assert all(900 < count < 1100 for count in Counter(dealt).values())
    anew = [style_of(account, STYLES, 1) for account in accounts]
    assert 900 < sum(one != other for one, other in zip(dealt, anew, strict=True)) < 1100


@pytest.mark.parametrize(
    ("wrong", "fix"),
    [
        ({"language": "it"}, "de, en, es, fr, ru"),
        ({"styles": ("plain", "rhymed")}, "plain or question-led"),
    ],
)
def test_a_plan_is_refused_before_it_starts_when_no_brief_could_be_written(
    make_settings: Callable[..., Any], wrong: dict[str, Any], fix: str
) -> None:
    """The message names what there is."""
    plain = make_settings()
    with pytest.raises(SettingError) as caught:
        check_briefs(replace(plain, briefs=replace(plain.briefs, **wrong)))
    assert fix in (caught.value.fix or "")
    check_briefs(plain)
