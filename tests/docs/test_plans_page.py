"""docs/plans.md says what the guard, the noise gate and the roles are."""

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path

from click import Context, Option

from sync.guard import RELEASES, RULES
from sync.operators import Role
from sync.settings import GuardSettings, NoiseSettings
from worker.cli import upswell

PAGE = (Path(__file__).parents[2] / "docs" / "plans.md").read_text(encoding="utf-8")


def test_the_page_lists_every_guard_rule_once() -> None:
    """And no rule that is none."""
    section = PAGE.split("## What stops a plan", 1)[1].split("## Whose yes", 1)[0]
    listed = re.findall(r"^\| `([a-z_]+)` \|", section, re.MULTILINE)
    assert sorted(listed) == sorted(set(RULES) - set(RELEASES))


def test_the_page_gives_the_defaults_in_force() -> None:
    """Every setting of [guard] with its default, every one of [noise] by name."""
    stated = dict(re.findall(r"`(max_[a-z_]+) = ([0-9.]+)`", PAGE))
    assert {name: float(value) for name, value in stated.items()} == asdict(GuardSettings())
    assert [name for name in asdict(NoiseSettings()) if name not in PAGE] == []


def test_the_page_lists_every_role_from_the_least_to_the_most() -> None:
    """Each may what the one before it may, and one thing more."""
    rows = re.findall(r"^\| `(viewer|operator|approver|admin)` \|(.+)\|$", PAGE, re.MULTILINE)
    assert [name for name, _ in rows] == [role.value for role in Role]
    assert [cells.count("yes") for _, cells in rows] == [1, 2, 3, 4]


def test_the_page_tells_every_option_of_the_verb() -> None:
    """What narrows a plan, shows it or keeps it."""
    command = upswell.get_command(Context(upswell), "plan")
    assert command is not None
    options = {name for each in command.params if isinstance(each, Option) for name in each.opts}
    assert {name for name in options if name not in PAGE} <= {"--json", "--exit-code"}
