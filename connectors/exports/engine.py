"""The engine that takes JSON apart and hashes ids: one for each process, a cursor for each reader."""

from __future__ import annotations

from functools import cache
from typing import Any

import duckdb


def cursor() -> Any:
    """A cursor of its own on the process's engine, which opens nothing outside its memory."""
    return _engine().cursor()


@cache
def _engine() -> Any:
    # one thread: exports are read in batches that are small beside the cost of sharing them out
    return duckdb.connect(config={"threads": 1, "enable_external_access": "false"})
