"""Salesforce ids: 15 case-sensitive characters, or 18 with a checksum that makes case recoverable.

Source: "ID Field Type", Object Reference for the Salesforce Platform.
"""

from __future__ import annotations

import re
import string

_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_CHECKSUM = string.ascii_uppercase + "012345"
_FIFTEEN = re.compile(r"[0-9A-Za-z]{15}\Z")
_POD = "Hs00"


def checksum(fifteen: str) -> str:
    """The three characters that say which of the fifteen are upper case."""
    marks = ""
    for start in (0, 5, 10):
        chunk = fifteen[start : start + 5]
        marks += _CHECKSUM[sum(1 << i for i, letter in enumerate(chunk) if letter in string.ascii_uppercase)]
    return marks


def salesforce_id(prefix: str, number: int) -> str:
    """The 18-character id of the numbered record of the object with this key prefix."""
    digits = ""
    for _ in range(8):
        number, digit = divmod(number, 62)
        digits = _DIGITS[digit] + digits
    if number or len(prefix) != 3:
        raise ValueError(f"no id for number {number} under key prefix {prefix!r}")
    fifteen = prefix + _POD + digits
    return fifteen + checksum(fifteen)


def normal_id(text: str) -> str | None:
    """The 18-character form of an id as a client may write it, or None when it is no id."""
    fifteen = text[:15]
    if not _FIFTEEN.match(fifteen):
        return None
    full = fifteen + checksum(fifteen)
    return full if len(text) == 15 or text == full else None
