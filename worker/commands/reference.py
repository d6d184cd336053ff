"""The command line's reference in Markdown, from each verb's own `--help`: `make docs` writes docs/cli.md."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import click

from worker.cli import VERBS, upswell

WIDTH = 100

INTRODUCTION = """\
# Command line

Written by `make docs` from each verb's `--help`; a test fails when it is not what the verbs say.

Every verb answers in words for people and, with `--json`, in one JSON object on the last line:
`{"command", "ok", "exit_code", "run_id", "data", "warnings", "errors"}`, where an error is
`{"code", "message", "record", "fix"}`.
Results go to stdout, progress and warnings to stderr; `NO_COLOR` is honoured.
"""


def reference() -> str:
    """The whole of docs/cli.md."""
    sections = [INTRODUCTION, _section("upswell", upswell, None)]
    root = click.Context(upswell, info_name="upswell")
    for verb in VERBS:
        command = upswell.get_command(root, verb)
        assert command is not None
        sections += [_section(name, each, parent) for name, each, parent in _commands(command, verb, root)]
    return "\n".join(sections)


def _commands(
    command: click.Command, name: str, parent: click.Context
) -> Iterator[tuple[str, click.Command, click.Context]]:
    """The command, and the ones inside it, with the context that each is called in."""
    yield name, command, parent
    if isinstance(command, click.Group):
        context = click.Context(command, info_name=name.rsplit(maxsplit=1)[-1], parent=parent)
        for inner in command.list_commands(context):
            found = command.get_command(context, inner)
            assert found is not None
            yield from _commands(found, f"{name} {inner}", context)


def _section(name: str, command: click.Command, parent: click.Context | None) -> str:
    last = name.rsplit(maxsplit=1)[-1]
    settings = {**command.context_settings, "terminal_width": WIDTH, "max_content_width": WIDTH}
    context = click.Context(command, info_name=last, parent=parent, **settings)
    title = name if parent is None else f"upswell {name}"
    depth = "##" if " " not in name else "###"
    return f"{depth} {title}\n\n```text\n{command.get_help(context).rstrip()}\n```\n"


if __name__ == "__main__":
    sys.stdout.write(reference())
