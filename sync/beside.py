"""What a record holds beside its score: whom to reach, a brief, and the ARR to expect by fiscal quarter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

QUARTERS: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What goes with one score. `quarters` are ARR in this fiscal quarter and the next three, where known."""

    whom_to_reach: str | None = None
    brief: str | None = None
    quarters: tuple[float, ...] | None = None
