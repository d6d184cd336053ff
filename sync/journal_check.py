"""The check of the journal's chain: that it can be continued, and that its key is nobody else's to read."""

from __future__ import annotations

import stat

from sqlalchemy import func, select

from connectors.errors import UpswellError
from sync import chain
from sync.check import Check, fault_of, fine, note
from sync.store import Store
from sync.store.writeback import LinkRow


def check_journal(store: Store) -> Check:
    """Whether what is written next could be journalled; `upswell audit verify` looks at every row."""
    key = store.journal_key
    try:
        chain.refuse_broken(store)
        held = key.held()
    except UpswellError as error:
        return fault_of("Ledger", "journal", error)
    with store.session() as session:
        links = session.scalar(select(func.count()).select_from(LinkRow)) or 0
    found = f"{links:,} link{'' if links == 1 else 's'}" if links else "not begun yet"
    if key.file is None or key.secret or held is None:
        return fine("Ledger", "journal", found)
    mode = stat.S_IMODE(key.file.stat().st_mode)
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        fix = f"Let its owner alone read it: chmod 600 {key.file}"
        return note("Ledger", "journal", f"{found}; others may read its key (mode {mode:o})", fix)
    return fine("Ledger", "journal", f"{found}, key in {key.file}")
