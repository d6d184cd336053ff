"""Pull: what changed in the CRM since the last pull, into the lake, table by table.

Each table's rows, its bookmark and the merges it tells of are one ledger transaction, so a pull that dies
leaves whole tables behind it and goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy.orm import Session

from connectors.canonical import MAPPED_TABLES
from connectors.crm import Crm, OrgInfo, Window
from connectors.errors import AbsentError, SetupError, StateError
from sync.aliases import Alias, merged_rows, note_aliases, with_own_ids
from sync.cursor import bookmark, forget_bookmarks, move_bookmark, next_window
from sync.lake import Lake
from sync.mapped_columns import Remapped, note_mapped, remapped
from sync.stitch import Told, live_rows, stitched
from sync.store import Store
from sync.store.runs import know_org

WHOLE: Final = ("exchange_rates",)  # so small that nothing tells what changed in them
REQUIRED: Final = ("accounts", "contacts", "opportunities")
MERGING: Final = ("accounts", "contacts")  # objects whose records can be merged

Progress = Callable[[str, int], None]
"""Called with a table's name and the rows read of it so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TablePull:
    """What a pull read of one table; `since` None means everything."""

    table: str
    rows: int
    deleted: int
    since: datetime | None
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PullReport:
    """What a pull read, what it could not see and why, and what it cost in API calls."""

    org: OrgInfo
    server_time: datetime
    tables: tuple[TablePull, ...]
    invisible: Mapping[str, str]  # optional table, or one object of it in brackets -> why
    absent: Mapping[str, str]  # table of which this CRM has nothing -> why
    api_calls: int

    @property
    def rows(self) -> int:
        """Rows read, deleted ones included."""
        return sum(table.rows for table in self.tables)


def pull(
    crm: Crm,
    store: Store,
    lake: Lake,
    *,
    run_id: str | None,
    now: datetime,
    tables: Sequence[str] | None = None,
    full: bool = False,
    progress: Progress | None = None,
) -> PullReport:
    """Read the CRM's canonical tables (all, or those named) up to a minute before its clock.

    Raises SetupError when a required table is invisible or holds no account, StateError when the lake
    belongs to another org, and the connector's own errors; tables read before that stay read."""
    calls_before = crm.usage().calls
    org = crm.org()
    _check_org(lake, org)
    know_org(store, org, now=now)
    server_time = crm.server_time()
    done: list[TablePull] = []
    invisible: dict[str, str] = {}
    absent: dict[str, str] = {}
    sources = crm.tables()
    _drop_unnamed(lake, org, sources, run_id=run_id, now=now)
    windows: dict[str, Window] = {}
    anew: dict[str, Remapped] = {}
    for table in tables or sources:
        read_until = bookmark(store, org.id, table, source=sources[table])
        anew[table] = remapped(store, org.id, table, crm.mapped(table))
        whole = anew[table].asks_for_all(columns_alone=crm.capabilities.columns_alone)
        window = next_window(read_until, server_time, full=full or whole or table in WHOLE)
        if window is not None:
            windows[table] = window
    for table, window in windows.items():
        try:
            pages = crm.pull(table, window, also=_following(table, windows))
            if window.since is not None:
                told, held = Told(), live_rows(lake)
                unstamped = crm.moved(table, held) if window.new_day else iter(())
                again = crm.reread(table, anew[table].columns, held) if anew[table].columns else iter(())
                changed = told.without(chain(unstamped, again))
                pages = chain(told.noted(pages), stitched(lake, table, changed))
            done.append(
                _pull_table(
                    crm, lake, org, table, window, pages=pages, run_id=run_id, now=now, progress=progress
                )
            )
            invisible |= {f"{table} ({name})": why for name, why in crm.hidden(table).items()}
        except AbsentError as error:
            absent[table] = str(error)
            _drop(lake, org, [table], run_id=run_id, now=now)
        except SetupError as error:
            if table in REQUIRED:
                raise
            invisible[table] = str(error)
    lake.compact(run_id=run_id, now=now)
    lake.sweep(now=now)
    return PullReport(
        org=org,
        server_time=server_time,
        tables=tuple(done),
        invisible=invisible,
        absent=absent,
        api_calls=crm.usage().calls - calls_before,
    )


def _pull_table(
    crm: Crm,
    lake: Lake,
    org: OrgInfo,
    table: str,
    window: Window,
    *,
    pages: Iterator[pa.Table],
    run_id: str | None,
    now: datetime,
    progress: Progress | None,
) -> TablePull:
    count = _Count()
    source = f"crm:{org.id}"
    segment = lake.stage(table, _watched(pages, table, count, progress), source=source)
    if table == "accounts" and window.since is None and count.rows == 0:
        raise SetupError(
            "the CRM shows not a single account to the integration user.",
            record=crm.object_name(table),
            fix="give that user read access to the accounts (object permission and sharing), then pull again",
        )

    aliases = count.aliases
    if table == "accounts" and aliases:
        aliases = with_own_ids(aliases, lake.tables()[table])

    def also(session: Session) -> None:
        move_bookmark(session, org.id, table, window.until, source=crm.tables()[table])
        note_mapped(session, org.id, table, crm.mapped(table))
        note_aliases(session, org.id, table, aliases)

    # a full read is the whole truth: what it does not bring is gone from the CRM
    replace = [(table, source)] if window.since is None else []
    lake.commit([] if segment is None else [segment], run_id=run_id, now=now, replace=replace, also=also)
    return TablePull(
        table=table, rows=count.rows, deleted=count.deleted, since=window.since, until=window.until
    )


def _drop_unnamed(
    lake: Lake, org: OrgInfo, delivered: Collection[str], *, run_id: str | None, now: datetime
) -> None:
    """Let go of the rows of objects that the settings name no more."""
    _drop(lake, org, MAPPED_TABLES.keys() - set(delivered), run_id=run_id, now=now)


def _drop(lake: Lake, org: OrgInfo, tables: Iterable[str], *, run_id: str | None, now: datetime) -> None:
    gone = [table for table in tables if lake.segments(table)]
    if not gone:
        return

    def also(session: Session) -> None:
        for table in gone:
            forget_bookmarks(session, org.id, table)

    replace = [(table, f"crm:{org.id}") for table in gone]
    lake.commit([], run_id=run_id, now=now, replace=replace, also=also)


def _following(table: str, windows: Mapping[str, Window]) -> list[str]:
    """The tables whose turn comes after this one's, over the same window."""
    names = list(windows)
    return [each for each in names[names.index(table) + 1 :] if windows[each] == windows[table]]


class _Count:
    """What went by while a table was read."""

    def __init__(self) -> None:
        self.rows = 0
        self.deleted = 0
        self.aliases: list[Alias] = []


def _watched(
    pages: Iterator[pa.Table], table: str, count: _Count, progress: Progress | None
) -> Iterator[pa.Table]:
    for page in pages:
        count.rows += page.num_rows
        count.deleted += pc.sum(page["is_deleted"]).as_py() or 0
        if table in MERGING:
            count.aliases += merged_rows(page)
        if progress is not None:
            progress(table, count.rows)
        yield page


def _check_org(lake: Lake, org: OrgInfo) -> None:
    """Two orgs in one lake would mix their customers."""
    own = f"crm:{org.id}"
    others = {s.source for s in lake.segments() if s.source.startswith("crm:") and s.source != own}
    if others:
        raise StateError(
            f"this lake holds the data of another org ({', '.join(sorted(others)).replace('crm:', '')}).",
            record=f"org {org.id}",
            fix="name another folder in [lake] folder and another database in [state] url for this org",
        )
