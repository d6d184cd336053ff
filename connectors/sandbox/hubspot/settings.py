"""How a sandbox account is set up: its limits, its tier, the delay of its search index."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How this account is set up; limits are those of a private app on Professional."""

    burst: int = 190  # calls in ten seconds; "Usage guidelines and limits"
    daily: int = 650_000
    searches: int = 5  # a second
    index_lag: int = 5  # sandbox-seconds until the search index shows a change
    associated_page: int = 500  # associations of one record on a page of batch/read
    enterprise: int = 0  # 1: custom objects are allowed
    unique_on_tasks: int = 1  # 0: tasks refuse properties with unique values
