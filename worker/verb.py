"""How every verb behaves: its help, its `--json` answer, its exit code, its errors in one sentence."""

from __future__ import annotations

import functools
import json
import math
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from worker.cli import VERBS
from worker.screen import Screen

if TYPE_CHECKING:
    from sync.settings import Settings


class ExitCode(IntEnum):
    """What a verb's exit code says."""

    DONE = 0
    FAILED = 1
    USER_MUST_FIX = 2
    REJECTED_ROWS = 3
    CHANGES = 10


EXIT_TEXT = {
    ExitCode.DONE: "done",
    ExitCode.FAILED: "failed",
    ExitCode.USER_MUST_FIX: "you must fix something first; the message says what",
    ExitCode.REJECTED_ROWS: "done, but some rows were rejected",
    ExitCode.CHANGES: "with --exit-code: there are changes to apply",
}


@dataclass(slots=True, kw_only=True)
class Answer:
    """What a verb found: printed as one JSON object with `--json`."""

    command: str
    run_id: str | None = None
    data: dict[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    errors: list[dict[str, str | None]] = field(default_factory=list)
    exit_code: ExitCode = ExitCode.DONE

    def reject(self, *, code: str, message: str, record: str | None, fix: str | None = None) -> None:
        """Note a row that was rejected; the verb then ends with exit code 3."""
        self.errors.append({"code": code, "message": message, "record": record, "fix": fix})
        if self.exit_code is ExitCode.DONE:
            self.exit_code = ExitCode.REJECTED_ROWS

    def as_json(self) -> str:
        """The object of CONTRACTS.md on one line; no NaN, which is not JSON."""
        answer = {
            "command": self.command,
            "ok": self.exit_code in (ExitCode.DONE, ExitCode.REJECTED_ROWS, ExitCode.CHANGES),
            "exit_code": int(self.exit_code),
            "run_id": self.run_id,
            "data": self.data,
            "warnings": self.warnings,
            "errors": self.errors,
        }
        return json.dumps(_plain(answer), ensure_ascii=False, allow_nan=False)


@dataclass(slots=True, kw_only=True)
class App:
    """What a verb works with: where the settings are, the screen, and the answer it fills in."""

    config: Path | None
    screen: Screen
    answer: Answer

    def settings(self) -> Settings:
        """The settings in force. Raises SettingError naming what is missing or wrong."""
        from sync.config import load

        return load(self.config, os.environ)

    def warn(self, text: str) -> None:
        """Show a warning and put it into the answer."""
        self.answer.warnings.append(text)
        self.screen.warn(text)


class VerbCommand(click.Command):
    """A click command that answers a wrong option or argument in JSON too, where JSON was asked for."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """As click does; with `--json` among `args` a usage error is the answer's error, exit code 2."""
        as_json = "--json" in args
        try:
            return super().make_context(info_name, args, parent, **extra)
        except click.UsageError as error:
            if not as_json:
                raise
            path = "upswell" if error.ctx is None else error.ctx.command_path
            answer = Answer(command=path.partition(" ")[2], exit_code=ExitCode.USER_MUST_FIX)
            entry = {"code": "usage", "message": error.format_message(), "record": None}
            answer.errors.append(entry | {"fix": f"see: {path} --help"})
            click.echo(answer.as_json())
            raise click.exceptions.Exit(int(answer.exit_code)) from None


def epilog(examples: Sequence[str], exit_codes: Sequence[ExitCode]) -> str:
    """The end of a verb's help: its examples and what its exit codes say."""
    codes = [f"  {int(code):<3} {EXIT_TEXT[code]}" for code in exit_codes]
    shown = [f"  {example}" for example in examples]
    return "\n".join(["\b", "Examples:", *shown, "", "\b", "Exit codes:", *codes])


def verb(
    name: str,
    *,
    examples: Sequence[str],
    exit_codes: Sequence[ExitCode] = (ExitCode.DONE, ExitCode.FAILED, ExitCode.USER_MUST_FIX),
    summary: str | None = None,
) -> Callable[[Callable[..., None]], click.Command]:
    """Make a function `(app, **options)` a click command that keeps the house's promises.

    Help is one sentence (from `worker.cli.VERBS` unless given), options, two examples and exit codes."""

    def decorate(function: Callable[..., None]) -> click.Command:
        @click.option("--json", "as_json", is_flag=True, help="Print one JSON object on the last line.")
        @click.pass_context
        @functools.wraps(function)
        def run(ctx: click.Context, /, *, as_json: bool, **options: Any) -> None:
            app = App(config=ctx.find_root().obj, screen=Screen(quiet=as_json), answer=Answer(command=name))
            try:
                function(app, **options)
            except Exception as error:
                explained = _explain(error)
                if explained is None:
                    if not as_json:
                        raise
                    traceback.print_exc()
                    explained = _bug(error)
                app.answer.exit_code, entry = explained
                app.answer.errors.append(entry)
                if not as_json:
                    _show_error(app.screen, entry)
            if as_json:
                click.echo(app.answer.as_json())
            sys.stdout.flush()
            ctx.exit(int(app.answer.exit_code))

        command = click.command(
            cls=VerbCommand,
            name=name.rsplit(maxsplit=1)[-1],
            help=summary or VERBS[name],
            epilog=epilog(examples, exit_codes),
            context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
        )(run)
        command.params.sort(key=lambda option: option.name == "as_json")  # the verb's own options first
        return command

    return decorate


def _explain(error: Exception) -> tuple[ExitCode, dict[str, str | None]] | None:
    """Exit code and answer entry of an error that is meant for people; None for a bug of ours."""
    from connectors.errors import UpswellError

    if isinstance(error, UpswellError):
        entry = {"code": error.code, "message": error.message, "record": error.record, "fix": error.fix}
        return ExitCode(error.exit_code), entry
    from model.errors import ModelError

    if isinstance(error, ModelError):
        return ExitCode.USER_MUST_FIX, {
            "code": "model",
            "message": error.message,
            "record": None,
            "fix": error.fix,
        }
    if isinstance(error, OSError) and error.filename is not None:
        return ExitCode.USER_MUST_FIX, {
            "code": "file",
            "message": f"this file or folder can't be used: {error.strerror}.",
            "record": str(error.filename),
            "fix": "make room or give permission, or name another place",
        }
    return None


def _bug(error: Exception) -> tuple[ExitCode, dict[str, str | None]]:
    """Exit code and answer entry of an error that nobody meant to happen."""
    return ExitCode.FAILED, {
        "code": "bug",
        "message": f"{type(error).__name__}: {error}",
        "record": None,
        "fix": "this is a fault in Upswell; please report it with the lines printed on stderr",
    }


def _show_error(screen: Screen, entry: dict[str, str | None]) -> None:
    where = f"{entry['record']}: " if entry["record"] else ""
    screen.err.print(f"Error: {where}{entry['message']}", style="red", markup=False)
    if entry["fix"]:
        screen.err.print(f"Fix: {entry['fix']}", markup=False)


def _plain(value: Any) -> Any:
    """The value as JSON knows it: dates as ISO text, paths and enums as text, NaN and infinities as null."""
    match value:
        case None | bool() | int() | str():
            plain: Any = value
        case float():
            plain = value if math.isfinite(value) else None
        case dict():
            plain = {str(key): _plain(item) for key, item in value.items()}
        case list() | tuple():
            plain = [_plain(item) for item in value]
        case datetime() | date():
            plain = value.isoformat()
        case _:
            plain = str(value)
    return plain
