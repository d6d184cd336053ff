"""What [owners], [plays] and [[triggers]] may say, and what a wrong word is answered with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from connectors.errors import SettingError
from model.reason_codes import CODES
from sync.config import load
from sync.play_rules import EVENT_WORDS, PlayRules
from sync.plays import Play
from sync.settings import Settings
from sync.settings_tasks import PlaySettings, Trigger
from sync.trigger_words import schema_of_triggers

Load = Callable[[str], Settings]


@pytest.fixture
def load_text(tmp_path: Path) -> Load:
    """Load a configuration given as text."""

    def load_it(text: str) -> Settings:
        file = tmp_path / "upswell.toml"
        file.write_text(f'[crm]\nkind = "salesforce"\n{text}', encoding="utf-8")
        return load(file, {})

    return load_it


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[owners]\nexpansion = "by_segment"', "needs .owners.by_segment."),
        ('[owners]\nexpansion = "by_segment"\nby_segment = { A = "pool" }', "pool names nobody"),
        ('[owners]\nby_segment = { A = "ae" }', "is not looked at"),
        ('[owners]\nby_segment = { A = "cso" }', "'csm', 'ae', 'either' or 'pool'"),
        ("[owners]\nslots = { ana = -1 }", "greater than or equal to 0"),
        ('[owners]\nholidays = "2026-02-30"', "2026-02-30 is no day"),
        ("[plays.growth]\nweight = 2.0", "nothing starts it"),
        ('[plays.growth]\ntrigger = "seat_utilization > 1"', "Did you mean"),
        ('[plays.growth]\ntrigger = "tier > 3"', "the trigger 'tier > 3.+ tier is text"),
        ('[plays.growth]\ntrigger = "seat_utilisation >"', "for example: .+seat_utilisation >= 95 %"),
        ("[plays.growth]\ntrigger = \"owns 'x'\"", "docs/tasks.md"),
        ('[plays.growth]\ntrigger = "probability >"', "can't be read at character"),
        ('[plays.expand]\ntrigger = "probability > 0"', "has its own rule"),
        ('[plays.nurture]\ntemplate = "expand"', "has its own template"),
        ("[plays.nurture]\nprice_ask = true", "asks for no price"),
        (
            '[plays.x]\ntrigger = "probability > 0"\ntemplate = "nurture"\nprice_ask = true',
            "asks for no price",
        ),
        ('[plays.Growth]\ntrigger = "probability > 0"', "one word of small letters"),
        ('[[triggers]]\nkind = "funding"\nplay = "expnd"', "Did you mean expand"),
        ('[[triggers]]\nkind = "funding"\nplay = "retain"', "retain makes no tasks"),
        ('[[triggers]]\nkind = "weather"\nplay = "expand"', "funding"),
        ('[[triggers]]\nkind = "milestone"\nplay = "expand"\nat_least = 1.2', "more than all milestones"),
    ],
)
def test_a_wrong_setting_is_answered_with_what_to_do(load_text: Load, text: str, words: str) -> None:
    """Before anything is read or written."""
    with pytest.raises(SettingError, match=words):
        load_text(text)


@pytest.mark.parametrize(
    ("text", "setting"),
    [
        ('[owners]\ntimezone = "New York"', "owners.timezone"),
        ('[briefs]\nlanguage = "klingon"', "briefs.language"),
        ('[[triggers]]\nkind = "weather"\nplay = "expand"', "triggers[1].kind"),
    ],
)
def test_a_setting_is_named_as_it_is_written(load_text: Load, text: str, setting: str) -> None:
    """And one fault counts once, however many kinds of value the setting takes."""
    with pytest.raises(SettingError) as caught:
        load_text(text)
    assert caught.value.setting == setting
    assert "more after this one" not in str(caught.value)
    assert "function-" not in str(caught.value).lower()


def test_a_country_or_a_list_of_days_may_stand_for_the_holidays(load_text: Load) -> None:
    """One word needs no brackets."""
    assert load_text('[owners]\nholidays = "DE-BY"').owners.holidays == ("DE-BY",)
    assert load_text('[owners]\nholidays = ["US", "2026-12-24"]').owners.holidays == ("US", "2026-12-24")


def test_every_reason_code_may_stand_in_a_trigger() -> None:
    """As its share of the score."""
    assert {each.code for each in CODES} < set(schema_of_triggers().names)


def test_every_kind_of_event_has_words() -> None:
    """For the reason that stands in the plan."""
    kinds = {"funding", "executive_hire", "product_launch", "m_and_a", "hiring", "technology_change"}
    assert EVENT_WORDS.keys() == kinds
    assert [Trigger(kind=kind, play="expand").kind for kind in sorted(kinds)] == sorted(kinds)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("play", "own", "template"),
    [
        ("expand", {}, Play.EXPAND),
        ("nurture", {}, Play.NURTURE),
        ("growth", {}, Play.EXPAND),
        ("growth", {"template": "prepare"}, Play.PREPARE),
        ("growth", {"template": "nurture"}, Play.NURTURE),
        ("growth", {"price_ask": False}, Play.NURTURE),
        ("expand", {"price_ask": False}, Play.NURTURE),
    ],
)
def test_a_play_that_names_no_price_takes_the_words_of_nurture(
    play: str, own: dict[str, object], template: Play
) -> None:
    """Others have their own, or those of expand."""
    rules = PlayRules(plays={play: PlaySettings(**own)} if own else {})  # type: ignore[arg-type]
    assert rules.template(play) is template
