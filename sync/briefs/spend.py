"""What briefs by Claude have cost, and whether more may be spent: reserved before it is sent, settled after.

One process at a time counts, so that two can't both spend the last dollar. A power cut may lose the last
reservation, as it may lose the last call to the CRM that was counted: nothing waits for the disk here.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from sqlalchemy import ColumnElement, Connection, func, insert, select, update
from sqlalchemy.orm import Session

from sync.briefs.cost import MILLION
from sync.store import Store
from sync.store.briefs import BriefSpendRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Caps:
    """The most that may be spent: millionths of a US dollar a run and a day, tokens a run."""

    run_micros: int
    day_micros: int
    run_tokens: int

    @classmethod
    def of(cls, *, run: float, day: float, tokens: int) -> Caps:
        """Caps of dollars and tokens."""
        return cls(
            run_micros=int(Decimal(str(run)) * MILLION),
            day_micros=int(Decimal(str(day)) * MILLION),
            run_tokens=tokens,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Purse:
    """What one run may spend."""

    store: Store
    run_id: str
    caps: Caps
    clock: Callable[[], datetime]

    def reserve(self, micros: int, tokens: int) -> str | None:
        """The id of a reservation, or None where it would break a cap."""
        now = self.clock()
        day = now.astimezone(UTC).date()
        with self.store.counting() as connection:
            spent, used = _sums(connection, BriefSpendRow.run_id == self.run_id)
            today, _ = _sums(connection, BriefSpendRow.day == day)
            if (
                spent + micros > self.caps.run_micros
                or today + micros > self.caps.day_micros
                or used + tokens > self.caps.run_tokens
            ):
                return None
            reservation = secrets.token_hex(16)
            connection.execute(
                insert(BriefSpendRow).values(
                    id=reservation,
                    run_id=self.run_id,
                    day=day,
                    at=now,
                    micros=micros,
                    tokens=tokens,
                    status="reserved",
                )
            )
            return reservation

    def spent(self) -> tuple[int, int]:
        """Millionths and tokens of this run, with what is reserved."""
        with self.store.session() as session:
            return _sums(session, BriefSpendRow.run_id == self.run_id)

    def left(self) -> int:
        """Millionths that this run may still spend."""
        day = self.clock().astimezone(UTC).date()
        with self.store.session() as session:
            spent, _ = _sums(session, BriefSpendRow.run_id == self.run_id)
            today, _ = _sums(session, BriefSpendRow.day == day)
        return max(0, min(self.caps.run_micros - spent, self.caps.day_micros - today))


def settle(store: Store, reservation: str, micros: int, tokens: int) -> None:
    """Put what a call did cost in the place of what was reserved for it."""
    with store.counting() as connection:
        connection.execute(
            update(BriefSpendRow)
            .where(BriefSpendRow.id == reservation, BriefSpendRow.status == "reserved")
            .values(micros=micros, tokens=tokens, status="settled")
        )


def _sums(connection: Connection | Session, condition: ColumnElement[bool]) -> tuple[int, int]:
    query = select(func.sum(BriefSpendRow.micros), func.sum(BriefSpendRow.tokens)).where(condition)
    micros, tokens = connection.execute(query).one()
    return int(micros or 0), int(tokens or 0)
