"""From settings to the connector's own, secrets read from where they lie."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.errors import SettingError
from sync.config import load
from sync.connect import connect, export_specs, salesforce_settings
from sync.settings import Settings

LOGIN = """
[crm]
kind = "salesforce"
[crm.salesforce]
login_url = "https://acme.my.salesforce.com"
auth = "client_credentials"
client_id = "app"
client_secret_file = "secret.txt"
"""


def settings_of(folder: Path, text: str, **environ: str) -> Settings:
    """The settings of this text in this folder."""
    file = folder / "upswell.toml"
    file.write_text(text)
    return load(file, environ)


def test_a_secret_comes_from_its_file_and_the_environment_wins(tmp_path: Path) -> None:
    """A line break at the file's end is none of it."""
    (tmp_path / "secret.txt").write_text("from-file\n")
    assert salesforce_settings(settings_of(tmp_path, LOGIN)).client_secret == "from-file"
    environ = {"UPSWELL_CRM__SALESFORCE__CLIENT_SECRET": "from-env"}
    assert salesforce_settings(settings_of(tmp_path, LOGIN, **environ)).client_secret == "from-env"


def test_a_secret_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """With the setting that names it."""
    with pytest.raises(SettingError, match=r"crm\.salesforce\.client_secret_file.*secret\.txt"):
        salesforce_settings(settings_of(tmp_path, LOGIN))


def test_a_login_without_its_secret_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    """The setting and the variable that may hold it are named."""
    text = LOGIN.replace('client_secret_file = "secret.txt"', "")
    with pytest.raises(SettingError, match=r"crm\.salesforce\.client_secret.*CLIENT_SECRET"):
        connect(settings_of(tmp_path, text))


def test_a_key_file_is_found_beside_the_configuration(tmp_path: Path) -> None:
    """Wherever the command is started."""
    text = (
        LOGIN.replace('"client_credentials"', '"jwt"')
        + 'username = "me"\nprivate_key_file = "keys/jwt.pem"\n'
    )
    (tmp_path / "secret.txt").write_text("unused")
    made = salesforce_settings(settings_of(tmp_path, text))
    assert made.private_key_file == str(tmp_path / "keys" / "jwt.pem")


def test_a_login_without_any_credential_names_what_is_missing(tmp_path: Path) -> None:
    """Accepted as a setting, refused at the door."""
    with pytest.raises(SettingError, match=r"crm\.hubspot\.token: HubSpot needs a static token"):
        connect(settings_of(tmp_path, '[crm]\nkind = "hubspot"\n'))


def test_exports_are_found_beside_the_configuration(tmp_path: Path) -> None:
    """An object store's URL stays what it is."""
    text = '[crm]\nkind = "salesforce"\n'
    for path in ("exports/*.csv", "s3://bucket/*.csv"):
        text += f'[[exports]]\nkind = "billing"\npath = "{path}"\ncolumns = {{ arr = "annual" }}\n'
    first, second = export_specs(settings_of(tmp_path, text))
    assert first.path == str(tmp_path / "exports" / "*.csv")
    assert second.path == "s3://bucket/*.csv"
    assert first.theirs("arr") == "annual"
