"""The key of a task: account, play and fiscal quarter, by which it is found and never made twice."""

from __future__ import annotations

import hashlib
from datetime import date
from typing import Final

from sync.forecast_periods import fiscal_quarter

KEY_LENGTH: Final = 120  # of the CRM field that holds the key


def task_key(account_id: str, play: str, as_of: date, fiscal_year_start: int) -> str:
    """The key of an account's task in a play and the fiscal quarter of the as-of day."""
    return key_of(account_id, play, str(fiscal_quarter(as_of, fiscal_year_start)))


def key_of(account_id: str, play: str, cycle: str) -> str:
    """`account:play:cycle`; an account id too long for the CRM's field gives way to its digest."""
    if len(account_id) + len(play) + len(cycle) + 2 > KEY_LENGTH:
        account_id = hashlib.sha256(account_id.encode()).hexdigest()
    return f"{account_id}:{play}:{cycle}"
