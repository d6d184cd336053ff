"""Text and JSON that SQLite and PostgreSQL both keep, and give back the same.

PostgreSQL refuses the NUL character in text and NaN in JSON; SQLite takes both, and turns a NaN number
into null. Neither takes half of a surrogate pair, which JSON from a CRM may hold.
"""

from __future__ import annotations

import json
import math
from typing import Any

NUL_ESCAPED = r"\u0000"


def is_storable(text: str) -> bool:
    """Whether both databases keep this text as it is."""
    return "\0" not in text and (text.isascii() or _is_unicode(text))


def storable(text: str) -> str:
    """The text as it can be kept: a space for NUL, as for any control character in a CRM's cell, and
    U+FFFD for each half of a surrogate pair that lacks the other."""
    if is_storable(text):
        return text
    # errors="surrogatepass" would join the halves of a pair; "replace" writes a question mark
    whole = "".join("\ufffd" if "\ud800" <= char <= "\udfff" else char for char in text)
    return whole.replace("\0", " ")


def storable_json(content: object, **options: Any) -> str:
    """JSON of the content, its texts storable; null for a number that is not finite, which JSON lacks.

    `options` are those of json.dumps."""
    try:
        text = json.dumps(content, ensure_ascii=False, allow_nan=False, **options)
    except ValueError:  # not finite
        text = NUL_ESCAPED
    if NUL_ESCAPED in text or not is_storable(text):
        return json.dumps(_cleaned(content), ensure_ascii=False, allow_nan=False, **options)
    return text


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _cleaned(content: Any) -> Any:
    match content:
        case str():
            return storable(content)
        case float():
            return content if math.isfinite(content) else None
        case dict():
            return {_cleaned(key): _cleaned(value) for key, value in content.items()}
        case list() | tuple():
            return [_cleaned(item) for item in content]
        case _:
            return content
