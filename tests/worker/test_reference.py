"""docs/cli.md is what the verbs say of themselves."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from worker.cli import VERBS, upswell
from worker.commands.reference import reference

ROOT = Path(__file__).parents[2]


def commands() -> dict[str, click.Command]:
    """Every verb, and every verb inside one, by how it is called."""
    found: dict[str, click.Command] = {}

    def add(name: str, command: click.Command) -> None:
        found[name] = command
        if isinstance(command, click.Group):
            for inner, each in command.commands.items():
                add(f"{name} {inner}", each)

    root = click.Context(upswell)
    for verb in VERBS:
        command = upswell.get_command(root, verb)
        assert command is not None
        add(verb, command)
    return found


def test_the_reference_is_what_the_verbs_say() -> None:
    """docs/cli.md is written anew by `make docs`, and must be after each change of a verb."""
    assert (ROOT / "docs" / "cli.md").read_text(encoding="utf-8") == reference(), "run: make docs"


@pytest.mark.parametrize("name", commands())
def test_every_verb_stands_in_the_reference_with_examples_and_exit_codes(name: str) -> None:
    """A section for each verb, its sentence, two examples and its exit codes."""
    command = commands()[name]
    section = reference().split(f"# upswell {name}\n", 1)[1].split("\n```\n", 1)[0]
    text = " ".join(section.split())
    assert command.help
    assert " ".join(command.help.split()) in text
    assert "Exit codes: 0 done" in text
    examples = text.split("Examples:", 1)[1].split("Exit codes:", 1)[0]
    called = examples.count(f"upswell {name}") + examples.count(f"upswell --config acme.toml {name}")
    assert called >= 2


@pytest.mark.parametrize("name", commands())
def test_every_option_is_explained(name: str) -> None:
    """No option stands without a sentence that says what it is for."""
    options = [each for each in commands()[name].params if isinstance(each, click.Option)]
    assert [option.name for option in options if not option.help] == []


@pytest.mark.parametrize("name", [n for n, c in commands().items() if not isinstance(c, click.Group)])
def test_every_verb_answers_in_json(name: str) -> None:
    """Programs read each verb: --json is an option of all of them."""
    assert "as_json" in [option.name for option in commands()[name].params]
