"""A lease on a name, held by one owner at a time across processes; it ends by itself when its owner dies."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from connectors.errors import StateError
from sync.store.engine import Store
from sync.store.tables import LockRow

LEASE = timedelta(minutes=5)


def machine_clock() -> datetime:
    """The machine's clock, which leases go by: a CRM's or a simulated clock may jump."""
    return datetime.now(UTC)


class Lease:
    """A lease that is held. `renew` before each long step; `owner` says who holds it."""

    def __init__(
        self,
        store: Store,
        name: str,
        *,
        length: timedelta = LEASE,
        clock: Callable[[], datetime] = machine_clock,
        owner: str | None = None,
    ) -> None:
        self.store = store
        self.name = name
        self.length = length
        self.owner = owner or uuid4().hex  # processes that name the same owner hold it together
        self._clock = clock

    def take(self) -> bool:
        """Take the lease when it is free or has run out; False when this owner held it already.

        Raises StateError when another holds it."""
        now = self._clock()
        with self.store.begin() as session:  # there is one writer at a time: nobody decides beside us
            row = session.get(LockRow, self.name)
            if row is None:
                session.add(LockRow(name=self.name, owner=self.owner, expires_at=now + self.length))
                return True
            is_ours = row.owner == self.owner
            if is_ours or row.expires_at <= now:
                row.owner, row.expires_at = self.owner, now + self.length
                return not is_ours
            # a clock that was set back must not hold it for the time that was
            ends = row.expires_at = min(row.expires_at, now + self.length)
        raise StateError(
            f"another run holds it until {ends:%Y-%m-%d %H:%M:%S} UTC.",
            record=f"lock {self.name}",
            fix="wait for that run to end; the lock of a killed one ends by itself",
        )

    def renew(self) -> None:
        """Hold it for another length. Raises StateError when it ran out and another took it."""
        with self.store.begin() as session:
            extend(session, self.name, self.owner, self._clock() + self.length)

    def release(self) -> None:
        """Give it back; nothing happens when another holds it by now."""
        with self.store.begin() as session:
            session.execute(delete(LockRow).where(LockRow.name == self.name, LockRow.owner == self.owner))


def extend(session: Session, name: str, owner: str, until: datetime) -> None:
    """Hold a lease until then, as part of a transaction. Raises StateError when another holds it by now."""
    # an UPDATE that misses says that the row is another's by now, without a race
    held = session.execute(
        update(LockRow)
        .where(LockRow.name == name, LockRow.owner == owner)
        .values(expires_at=until)
        .returning(LockRow.name)
    ).first()
    if held is None:
        raise StateError(
            "this run lost it to another, because it did not renew it in time.",
            record=f"lock {name}",
            fix="run it again",
        )


@contextmanager
def lease(
    store: Store,
    name: str,
    *,
    length: timedelta = LEASE,
    clock: Callable[[], datetime] = machine_clock,
    owner: str | None = None,
) -> Iterator[Lease]:
    """The named lease for the time of the block. Raises StateError when another holds it."""
    held = Lease(store, name, length=length, clock=clock, owner=owner)
    held.take()
    try:
        yield held
    finally:
        held.release()
