"""How far each canonical table of an org has been read, and the window that a pull reads next.

Window [bookmark − 10 min, server clock − 1 min): rows that the CRM commits late, below the cursor, are caught
by the overlap, and rows of the running minute wait until their stamps are final. Sizes and reasons as in the
project's notes on the Salesforce API (SystemModstamp; issues of other connectors).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete
from sqlalchemy.orm import Session

from connectors.crm import Window
from sync.store import Store
from sync.store.tables import BookmarkRow

OVERLAP: Final = timedelta(minutes=10)
SETTLE: Final = timedelta(minutes=1)
FORGETS_DELETED: Final = timedelta(days=14)  # the recycle bin keeps deleted rows for 15


def bookmark(store: Store, org_id: str, table: str, *, source: str = "") -> datetime | None:
    """Everything modified before this has been read of the table; None when nothing was of this source."""
    with store.session() as session:
        row = session.get(BookmarkRow, (org_id, _name(table, source)))
        return None if row is None else row.until


def next_window(read_until: datetime | None, server_time: datetime, *, full: bool = False) -> Window | None:
    """What to read next; None when there is nothing yet, because the server's clock has not moved on.

    The first pull, one that is asked to be full, and one so late that the CRM may have forgotten which
    rows were deleted, read everything (`since` is None)."""
    until = server_time - SETTLE
    if full or read_until is None or until - read_until > FORGETS_DELETED:
        return Window(since=None, until=until)
    since = read_until - OVERLAP
    return Window(since=since, until=until) if since < until else None


def forget_bookmarks(session: Session, org_id: str, table: str, *, but: str = "") -> None:
    """Nothing counts as read of the table any more, of whatever source, but under the name `but`."""
    of_table = (BookmarkRow.table_name == table) | BookmarkRow.table_name.startswith(
        f"{table}@", autoescape=True
    )
    session.execute(
        delete(BookmarkRow).where(BookmarkRow.org_id == org_id, of_table, BookmarkRow.table_name != but)
    )


def move_bookmark(session: Session, org_id: str, table: str, until: datetime, *, source: str = "") -> None:
    """Note in the caller's transaction that everything before `until` has been read; never moves back.

    What was read of another source counts no more."""
    name = _name(table, source)
    forget_bookmarks(session, org_id, table, but=name)
    row = session.get(BookmarkRow, (org_id, name))
    if row is None:
        session.add(BookmarkRow(org_id=org_id, table_name=name, until=until))
    else:
        row.until = max(row.until, until)


def _name(table: str, source: str) -> str:
    """The table as bookmarks know it: one that comes from an object of the settings bears its name."""
    return f"{table}@{source}" if source else table
