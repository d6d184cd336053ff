"""Checks of what we hold ourselves: the ledger's schema, how fresh lake and exports are, the model's age."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select

from model.errors import ModelError
from model.registry import Registry
from sync.check import Check, fault, fine, note
from sync.export_status import KindStatus, status_of_exports
from sync.settings import Settings
from sync.store import Store
from sync.store.engine import HEAD
from sync.store.runs import latest_run
from sync.store.tables import BookmarkRow

STALE: Final = timedelta(days=2)
STALE_EVENTS: Final = timedelta(days=4)  # a daily export that missed a weekend
OLD_MODEL: Final = timedelta(days=45)  # trained every four weeks, with some patience


def check_ledger(store: Store) -> Check:
    """The ledger's schema; opening it brought that up to date, or refused one of a newer version."""
    url = store.engine.url.render_as_string(hide_password=True)
    return fine("Ledger", "schema", f"{HEAD}, the newest that this version knows, in {url}")


def check_runs(store: Store) -> Check:
    """The last run of anything, and how it ended."""
    last = latest_run(store)
    if last is None:
        return fine("Ledger", "last run", "there was none yet")
    found = f"{last.verb}, {last.status}, begun {last.started_at:%Y-%m-%d %H:%M} UTC"
    if last.status == "failed":
        return note("Ledger", "last run", f"{found}: {last.error}", "Mend what it names, then run it again.")
    return fine("Ledger", "last run", found)


def check_lake(store: Store, settings: Settings, now: datetime) -> Iterator[Check]:
    """How fresh the lake is, by the CRM's bookmarks and by each kind of export; `now` is the CRM's clock."""
    with store.session() as session:
        read_until = session.scalar(select(func.min(BookmarkRow.until)))
    if read_until is None:
        yield fault("Lake", "CRM", "nothing was read yet", "Read it: upswell pull")
    else:
        found = f"read up to {read_until:%Y-%m-%d %H:%M} UTC"
        if now - read_until <= STALE:
            yield fine("Lake", "CRM", found)
        else:
            fix = "Read what is new: upswell pull; and let a schedule do so daily."
            yield note("Lake", "CRM", f"{found}, {(now - read_until).days} days ago", fix)
    held = {status.kind: status for status in status_of_exports(store)}
    for kind in dict.fromkeys(export.kind for export in settings.exports):
        yield _export(kind, held.get(kind), now)


def check_model(registry: Registry, now: datetime) -> Iterator[Check]:
    """Whether the current model is there and whole, what it rests on, and its age."""
    from sync.versions import version_day

    current = registry.current
    if current is None:
        yield fault("Model", "current", "there is none", "Train one: upswell train")
        return
    try:
        trained = registry.load(current)
    except ModelError as error:
        fix = "Promote another version, or train again: upswell train"
        yield fault("Model", current, str(error.args[0]), fix)
        return
    found = f"scores by the {trained.basis}, from {trained.facts.get('expansions', 0):,} past expansions"
    if trained.facts.get("has_signal") is False:
        fix = "Don't rank by the scores; add sources: upswell features shows which are missing."
        yield note("Model", current, f"{found}; these data predict no better than chance", fix)
    else:
        yield fine("Model", current, found)
    age = now.date() - version_day(current)
    if age > OLD_MODEL:
        yield note("Model", "age", f"{age.days} days", "Train on what happened since: upswell train")
    else:
        yield fine("Model", "age", f"{max(age.days, 0)} days")


def _export(kind: str, status: KindStatus | None, now: datetime) -> Check:
    """What was read of one configured kind."""
    if status is not None and status.quarantined:
        return _quarantined(status)
    if status is None:
        fix = "Check and read it: upswell exports check, upswell pull"
        return fault("Exports", kind, "configured, and never read", fix)
    newest = "unknown" if status.last_at is None else f"{status.last_at:%Y-%m-%d}"
    found = f"{status.rows:,} rows of {len(status.files)} files, newest {newest}"
    if status.missing:
        fix = "Put them back, or correct path in [[exports]]; what they said still counts."
        return note("Exports", kind, f"{found}; {status.missing} files that were read are gone", fix)
    if kind == "events" and status.last_at is not None and now - status.last_at > STALE_EVENTS:
        fix = "See whether the export still runs; usage that is missing looks like usage that fell."
        return note("Exports", kind, f"{found}, {(now - status.last_at).days} days ago", fix)
    return fine("Exports", kind, found)


def _quarantined(status: KindStatus) -> Check:
    """A kind with files that can't be used: a note, or a fault where no file of it ever could."""
    first = status.quarantined[0]
    count = len(status.quarantined)
    held = f"{status.rows:,} rows of {len(status.files)} files"
    found = f"{held}; {count} can't be used: {first.place}: {first.reason}"
    return (note if status.files else fault)("Exports", status.kind, found, first.fix)
