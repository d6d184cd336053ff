"""What a journal entry's digest commits to: its facts openly, its content behind a salt.

    commitment = SHA-256(salt, before, after)          kept when the content and its salt are erased
    digest     = HMAC-SHA256(key, facts, commitment)   never changes

So an erased entry can still be verified, and its content can't be guessed from what is left.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from sync.store.storable import NUL_ESCAPED, is_storable, storable_json

OF_OPERATION: Final = ("run_id", "plan_id", "operation_key", "object", "record_id", "account_id", "kind")
ERASED: Final = "erased"
"""The one key of the JSON that stands where content was; its value is the commitment."""

_ENCODE = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"), default=str
).encode


def canonical(content: object) -> str:
    """JSON that is the same for equal content, before and after the ledger: keys sorted, no blanks."""
    try:  # an encoder that is made once: some ten thousand cells a plan
        text = _ENCODE(content)
    except ValueError:  # a number that JSON lacks
        text = NUL_ESCAPED
    if NUL_ESCAPED in text or not is_storable(text):
        return storable_json(content, sort_keys=True, separators=(",", ":"), default=str)
    return text


def commitment(salt: str, before: object, after: object) -> str:
    """What can be kept of a content that is erased: nobody can guess it back without the salt."""
    return hashlib.sha256(f"{salt}{canonical([before, after])}".encode()).hexdigest()


def emptied(kept: str) -> dict[str, str]:
    """What stands where content was: nothing but its commitment."""
    return {ERASED: kept}


def kept_commitment(before: object, after: object) -> str | None:
    """The commitment in an entry whose content was erased; None when that is not what is left of it."""
    kept = before.get(ERASED) if isinstance(before, dict) else None
    return kept if isinstance(kept, str) and before == after == emptied(kept) else None


def moment(at: datetime | str) -> str:
    """A time as it goes into a digest, in UTC; what a ledger holds instead of one, as it is."""
    return at.astimezone(UTC).isoformat() if isinstance(at, datetime) else str(at)


def facts_of_operation(at: datetime | str, facts: Mapping[str, Any]) -> str:
    """The facts that all entries of one operation share, as they go into the digest."""
    return canonical([moment(at), *(facts[name] for name in OF_OPERATION)])


def entry_digest(
    key: bytes, number: int, operation: str, cell: tuple[str, str, int | None], kept: str
) -> str:
    """The digest of entry `number`: facts of its operation, (field, key, undoes), commitment."""
    text = f"{number}{operation}{_of_cell(cell)}{kept}"
    return hmac.digest(key, text.encode(), "sha256").hex()


@lru_cache(maxsize=1024)  # of restores each is another, of writes only as many as there are fields
def _of_cell(cell: tuple[str, str, int | None]) -> str:
    return canonical(cell)


def digest_of(key: bytes, row: Any, kept: str) -> str:
    """The digest that a row of the journal must bear."""
    facts = {name: getattr(row, name) for name in OF_OPERATION}
    cell = (row.field, row.key, row.undoes)
    return entry_digest(key, row.id, facts_of_operation(row.at, facts), cell, kept)
