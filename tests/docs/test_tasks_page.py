"""docs/tasks.md says what [owners], [plays] and [[triggers]] take, and why there is no task."""

from __future__ import annotations

import re
from dataclasses import asdict, fields
from pathlib import Path

from connectors.fields import field_specs
from model.reason_codes import CODES
from sync.config import load
from sync.plan_words import SKIPS
from sync.planned import SkipReason
from sync.plays import BUILT_IN
from sync.settings_tasks import Owners, PlaySettings, Trigger
from sync.trigger_words import schema_of_triggers

PAGE = (Path(__file__).parents[2] / "docs" / "tasks.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```toml\n(.+?)```", PAGE, re.DOTALL)


def test_the_page_lists_every_setting_of_owners_once() -> None:
    """And no other."""
    section = PAGE.split("## Whose", 1)[1].split("## Due when", 1)[0]
    assert re.findall(r"^\| `([a-z_]+)` \|", section, re.MULTILINE) == list(asdict(Owners()))


def test_the_examples_load_and_name_every_setting(tmp_path: Path) -> None:
    """Of plays and triggers too."""
    file = tmp_path / "upswell.toml"
    file.write_text('[crm]\nkind = "salesforce"\n' + "\n".join(BLOCKS), encoding="utf-8")
    loaded = load(file, {})
    assert loaded.owners.by_segment["SMB"] == "pool"
    assert [trigger.kind for trigger in loaded.triggers] == ["limit", "funding"]
    for section in (PlaySettings, Trigger):
        assert [field.name for field in fields(section) if f"{field.name} = " not in BLOCKS[1]] == []


def test_the_page_lists_every_reason_for_no_task() -> None:
    """Those of tasks, with their names in a plan."""
    section = PAGE.split("## Which accounts", 1)[1].split("## Whose", 1)[0]
    rows = re.findall(r"^\| (`.+?`) \|", section, re.MULTILINE)
    listed = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    of_tasks = {reason for reason, words in SKIPS.items() if words.startswith("no task")}
    assert listed == {*of_tasks, SkipReason.OPT_OUT}


def test_the_page_lists_the_built_in_plays_and_every_name_of_a_trigger() -> None:
    """Codes of reasons are on a page of their own."""
    plays = PAGE.split("## Plays", 1)[1].split("RevOps adds", 1)[0]
    assert set(re.findall(r"^\| `([a-z]+)` \|", plays, re.MULTILINE)) == {play.value for play in BUILT_IN}
    codes = {each.code for each in CODES}
    assert [
        name for name in schema_of_triggers().names if name not in codes and f"`{name}`" not in PAGE
    ] == []


def test_the_page_names_every_outcome_by_its_label() -> None:
    """As people see them in the CRM."""
    section = PAGE.split("## What came of it", 1)[1].lower().replace("\n", " ")
    labels = field_specs()["task_outcome"].options.values()
    assert [label for label in labels if label.lower() not in section] == []
