"""The ledger's schema, revision by revision, run by Alembic inside the caller's transaction."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection


def config() -> Config:
    """Alembic's configuration: this folder and nothing else, no .ini file."""
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    made.set_main_option("path_separator", "os")
    return made


def upgrade(connection: Connection, *, since: str | None) -> bool:
    """Whether the schema is now the newest, coming from `since` (None: empty); False when that is unknown."""
    made = config()
    if since is not None:
        try:
            ScriptDirectory.from_config(made).get_revision(since)
        except CommandError:
            return False
    made.attributes["connection"] = connection
    command.upgrade(made, "head")
    return True
