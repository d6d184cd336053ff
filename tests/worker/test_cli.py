"""The command line keeps the house's promises for every verb."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from worker.cli import VERBS, upswell

HEAVY = ("catboost", "duckdb", "ibis", "numpy", "pandas", "pyarrow", "pydantic", "rich", "sqlalchemy", "shap")


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(verb: str) -> None:
    """`--help` of each verb: its sentence, two examples and its exit codes."""
    result = CliRunner().invoke(upswell, [verb, "--help"], terminal_width=100)
    assert result.exit_code == 0, result.output
    text = " ".join(result.output.split())
    assert VERBS[verb] in text
    assert text.count(f"upswell {verb}") + text.count("upswell --config") >= 2, result.output
    assert "Exit codes: 0" in text or "Commands:" in result.output, result.output


def test_help_lists_every_verb_without_importing_what_is_heavy() -> None:
    """Listing the verbs loads no data library, so it costs next to nothing."""
    code = (
        "import sys; from worker.cli import upswell\n"
        "try: upswell(['--help'])\n"
        "except SystemExit: pass\n"
        f"print('LOADED', [name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "LOADED []" in done.stdout
    assert [verb for verb in VERBS if verb not in done.stdout] == []


def test_an_unknown_verb_names_the_nearest_one_and_exits_2() -> None:
    """A slip of the finger is answered with the verb that was meant."""
    result = CliRunner().invoke(upswell, ["rolback"])
    assert result.exit_code == 2
    assert "Did you mean rollback?" in result.output


def test_json_is_one_object_on_the_last_line_even_when_the_settings_are_missing(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program can read why a verb failed: code, message, record and fix."""
    monkeypatch.chdir(str(tmp_path))
    result = CliRunner().invoke(upswell, ["status", "--json"])
    answer = json.loads(result.output.splitlines()[-1])
    assert answer["command"] == "status"
    assert answer["ok"] is False
    assert answer["exit_code"] == result.exit_code == 2
    assert answer["errors"][0]["code"] == "setting"
    assert answer["errors"][0]["fix"]


def test_a_wrong_option_is_answered_in_json_too() -> None:
    """Whoever asked for JSON gets one object, also where the command line itself is wrong."""
    for arguments, said in ((["plan", "--bogus"], "--bogus"), (["brief"], "ACCOUNT")):
        result = CliRunner().invoke(upswell, [*arguments, "--json"])
        answer = json.loads(result.stdout.splitlines()[-1])
        assert answer["command"] == arguments[0]
        assert answer["exit_code"] == result.exit_code == 2
        assert said in answer["errors"][0]["message"]


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """The file system's refusal is one sentence with the path, no traceback."""
    (tmp_path / "file").touch()
    result = CliRunner().invoke(upswell, ["demo", "--keep", str(tmp_path / "file" / "play"), "--json"])
    answer = json.loads(result.stdout.splitlines()[-1])
    assert answer["exit_code"] == result.exit_code == 2
    assert str(tmp_path) in answer["errors"][0]["record"]
