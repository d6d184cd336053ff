"""What goes wrong outside gets one clear sentence with a fix, the right exit code, and changes nothing."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from connectors.sandbox.salesforce.schema import Schema
from worker.sandbox_folder import make_company, open_sandbox


def changes_nothing(home: Any, *verb: str, env: dict[str, str] | None = None) -> Any:
    """The answer of a verb that must not change the CRM, the scores or the newest plan."""
    before = home.accounts()
    tasks = home.sandbox.store.select("SELECT count(*) FROM Task")
    plan = home.upswell("status").data["plan"]
    answer = home.upswell(*verb, env=env)
    assert home.accounts() == before
    assert home.sandbox.store.select("SELECT count(*) FROM Task") == tasks
    assert home.upswell("status").data["plan"] == plan
    assert len(answer.errors) == 1
    assert answer.errors[0]["fix"]
    return answer


def test_a_missing_export_names_its_pattern(home: Any) -> None:
    """An export that is configured and not there is the user's to fix."""
    for file in (home.folder / "exports" / "billing").glob("*"):
        file.unlink()
    answer = changes_nothing(home, "run")
    assert answer.exit_code == 2
    assert "billing" in answer.errors[0]["record"]


def test_half_a_parquet_file_is_named_and_nothing_of_it_is_used(home: Any) -> None:
    """A cut file is refused whole."""
    file = sorted((home.folder / "exports" / "events").glob("*.parquet"))[-1]
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    rows = home.upswell("status").data["lake"]["events"]["rows"]
    answer = changes_nothing(home, "run")
    assert answer.exit_code == 2
    assert file.name in answer.errors[0]["record"]
    assert home.upswell("status").data["lake"]["events"]["rows"] == rows


def test_a_wrong_secret_is_told_from_a_lost_network(home: Any) -> None:
    """A refused login is the user's to fix; it names the setting and never shows the secret."""
    env = {"UPSWELL_CRM__SALESFORCE__CLIENT_SECRET": "not-the-secret"}
    answer = changes_nothing(home, "run", env=env)
    assert answer.exit_code == 2
    assert answer.errors[0]["code"] == "login"
    assert "not-the-secret" not in str(answer)


def test_an_unreachable_host_is_named(home: Any) -> None:
    """Nobody listens: exit 1, the host and what to check."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    env = {"UPSWELL_CRM__SALESFORCE__LOGIN_URL": url, "UPSWELL_CRM__SALESFORCE__INSTANCE_URL": url}
    answer = changes_nothing(home, "run", env=env)
    assert answer.exit_code == 1
    assert f"127.0.0.1:{port}" in str(answer.errors[0])


def test_a_field_of_ours_removed_in_the_crm_is_named_before_anything_is_written(home: Any) -> None:
    """An administrator deletes a score field: exit 2, its name, no write."""
    Schema(home.sandbox.store).remove_field("Account", "Expansion_Score__c")
    answer = changes_nothing(home, "run")
    assert answer.exit_code == 2
    assert "Expansion_Score__c" in str(answer.errors[0])
    assert "install" in answer.errors[0]["fix"]


def test_a_mapped_field_that_is_hidden_from_us_is_named(home: Any) -> None:
    """A field that the integration user may no longer see: exit 2, with table, column and field."""
    with home.sandbox.store.transaction() as sql:
        sql.execute("DELETE FROM FieldPermissions WHERE Field = 'Account.Seats__c'")
    answer = changes_nothing(home, "run")
    assert answer.exit_code == 2
    assert "Seats__c" in str(answer.errors[0])


def test_a_wrong_setting_names_itself_and_where_it_was_looked_for(home: Any) -> None:
    """A typo in the file is answered with the setting that was meant."""
    text = home.config.read_text().replace("horizon_days", "horizon_dayz")
    home.config.write_text(text)
    answer = home.upswell("run")
    assert answer.exit_code == 2
    assert answer.errors[0]["record"] == "target.horizon_dayz"
    assert "horizon_days" in answer.errors[0]["message"]
    assert str(home.config) in answer.errors[0]["message"]


def test_a_company_without_accounts_is_told_so(tmp_path: Path, opened: Any) -> None:
    """An empty org is no crash: exit 2 and what to check."""
    folder = tmp_path / "empty"
    make_company(folder, accounts=0, months=12, seed=1, advance=lambda _done, _total: None)
    open_sandbox(folder).close()
    home = opened(folder)
    assert home.upswell("install", "--apply").exit_code == 0
    answer = home.upswell("run")
    assert answer.exit_code == 2
    assert answer.errors[0]["fix"]


def test_scoring_before_anything_was_pulled_says_what_to_do_first(fresh: Any) -> None:
    """Verbs called out of order say which one comes before."""
    assert "upswell pull" in fresh.upswell("train").errors[0]["fix"]
    assert fresh.upswell("plan").exit_code == 2
    assert fresh.upswell("apply").exit_code == 2
    assert fresh.upswell("rollback").exit_code == 2


def test_a_day_to_come_is_not_scored(home: Any) -> None:
    """Nothing is known after the CRM's day, so there is no score as of a later one."""
    answer = changes_nothing(home, "score", "--as-of", "2099-01-01")
    assert answer.exit_code == 2
    assert "still to come" in answer.errors[0]["message"]


def test_a_look_back_is_never_planned_as_today(home: Any) -> None:
    """After `score --as-of` of an earlier day the plan still holds the newest scores: nothing to write."""
    assert home.upswell("score", "--as-of", "2026-06-30").exit_code == 0
    plan = home.upswell("plan").data
    assert plan["as_of"] != "2026-06-30"
    assert plan["cells"] == 0


@pytest.mark.parametrize(
    "arguments",
    [("apply", "--override", "nope"), ("rollback", "--account", "NOPE"), ("rollback", "--field", "Name")],
)
def test_a_name_that_means_nothing_is_no_success(home: Any, arguments: tuple[str, ...]) -> None:
    """A mistyped guard rule, account or field ends with 2 and names itself."""
    answer = changes_nothing(home, *arguments)
    assert answer.exit_code == 2
    assert arguments[-1] in str(answer.errors[0])
