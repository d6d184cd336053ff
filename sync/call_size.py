"""How many rows a write call bears: fewer once calls take long.

A call that its client gives up is a lost reply, whose rows have to be looked for and may land late. The
company's own automations (flows, triggers) decide how long a thousand records take, so it is measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

SLOW: Final = 4
"""A call that takes a quarter of the time after which it is given up is slow: the next may take longer."""
QUICK: Final = 16


@dataclass(slots=True, kw_only=True)
class CallSize:
    """The rows of the next call, at most `most`; a call is given up after `longest`."""

    most: int
    longest: timedelta
    rows: int

    def note(self, took: timedelta) -> None:
        """Half as many after a slow call, twice as many after a quick one."""
        if SLOW * took > self.longest:
            self.rows = max(self.rows // 2, 1)
        elif QUICK * took < self.longest:
            self.rows = min(self.rows * 2, self.most)
