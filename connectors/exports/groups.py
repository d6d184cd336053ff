"""Accounts that an event names as groups: {"company": ["Acme"]} or ["Acme", "Initech"], as analytics tools
write.

One group is the account. Several of one type are several events, one for each account, as those tools count
them; several types don't say which of them is the account, so the setting must.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from connectors.errors import InputError
from connectors.exports.places import Rows


def spread(batch: pa.RecordBatch, rows: Rows, fix: str) -> pa.RecordBatch:
    """The batch with one account in each row's account_key. Raises InputError for groups of several types."""
    keys = batch.column("account_key")
    listed = np.flatnonzero(
        pc.fill_null(pc.match_substring_regex(keys, r"^[\[{]"), False).to_numpy(zero_copy_only=False)
    )
    if not len(listed):
        return batch
    # many rows say one of a few accounts, so each text is parsed once
    parsed: dict[str, list[str | None]] = {}
    texts = keys.to_pylist()
    for index in listed.tolist():
        text = texts[index]
        if text not in parsed:
            parsed[text] = _accounts(text, rows, index, fix)
    accounts = [parsed.get(text, [text]) for text in texts]
    counts = np.fromiter((len(each) for each in accounts), np.int64, len(accounts))
    taken = batch.take(pa.array(np.repeat(np.arange(len(accounts)), counts)))
    names = pa.array([name for each in accounts for name in each], pa.string())
    at = batch.schema.get_field_index("account_key")
    return taken.set_column(at, batch.schema.field(at), names)


def _accounts(text: str, rows: Rows, index: int, fix: str) -> list[str | None]:
    """The accounts of one event; [None] where it names no group."""
    try:
        value: Any = json.loads(text)
    except ValueError:
        return [text]  # a key that begins with a bracket is a key
    if isinstance(value, dict):
        held = {name: inner for name, inner in value.items() if inner not in ("", None, [])}
        if len(held) > 1:
            raise InputError(
                f"The event belongs to groups of several types: {', '.join(sorted(held))}.",
                record=rows.where(index),
                fix=f"Say which of them is the account: {fix}." if fix else "Name one by account_key.",
            )
        value = next(iter(held.values()), None)
    values = value if isinstance(value, list) else [value]
    found = [each if isinstance(each, str) else json.dumps(each) for each in values if each not in ("", None)]
    return list(dict.fromkeys(found)) or [None]
