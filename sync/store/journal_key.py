"""The key of the journal's chain: given as a secret, or kept in a file that is made when it is first needed.

Whoever can change the ledger but does not have this key can't make a change that `upswell audit verify`
accepts, so the file is readable by its owner only, and a ledger's backup should not hold both.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from sqlalchemy.engine import URL

from connectors.errors import SettingError

SETTING: Final = "state.journal_key"
SUFFIX: Final = ".journal-key"
ONLY_ITS_OWNER: Final = 0o600


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalKey:
    """Where the key comes from: `secret` itself, else `file`, which is made when it is missing."""

    secret: str = field(default="", repr=False)
    file: Path | None = None

    @classmethod
    def beside(cls, url: URL) -> Self:
        """A ledger file's own key, in a file beside it; nothing for a ledger on a server."""
        if url.get_backend_name() != "sqlite":
            return cls()
        if not url.database or url.database == ":memory:":
            return cls(secret=secrets.token_hex(32))
        return cls(file=Path(url.database + SUFFIX))

    def held(self) -> bytes | None:
        """The key, or None when its file was not made yet.

        Raises SettingError when there is nowhere to look."""
        if self.secret:
            return self.secret.encode()
        if self.file is None:
            raise SettingError(
                "this ledger's journal has no key.",
                setting=SETTING,
                searched=(),
                fix="set it, the same on every machine that writes to this ledger; make one with: "
                "openssl rand -hex 32",
            )
        try:
            return self.file.read_bytes().strip() or None
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._unusable(error) from None

    def made(self) -> bytes:
        """The key, made now where there is none. Raises SettingError when its file can't be written."""
        held = self.held()
        if held is not None or self.file is None:
            assert held is not None
            return held
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            return _make(self.file)
        except OSError as error:
            raise self._unusable(error) from None

    def _unusable(self, error: OSError) -> SettingError:
        return SettingError(
            f"the key of the journal can't be kept in its file: {error.strerror}.",
            setting=f"{SETTING}_file",
            searched=(str(self.file),),
            fix="correct the path or its permissions",
        )


def _make(file: Path) -> bytes:
    """A new key in the file, whole or not at all; the one that another process made a moment earlier."""
    key = secrets.token_hex(32).encode()
    draft = file.with_name(f"{file.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, ONLY_ITS_OWNER)
    try:
        with open(descriptor, "wb") as opened:
            opened.write(key + b"\n")
            opened.flush()
            os.fsync(opened.fileno())  # links made with a key that a power cut took could never be verified
        os.link(draft, file)  # unlike a rename, it never replaces a key that is there
    except FileExistsError:
        return file.read_bytes().strip()
    finally:
        draft.unlink()
    return key
