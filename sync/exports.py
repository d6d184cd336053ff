"""Exports: new and changed files into the lake, each read once; a bad one is set aside, whole.

Every file is known by its content (sha256). All new ones are read and staged before the first becomes
visible. A file that was sent again takes the place of what it said before; one that can't be read to its
end changes nothing, is quarantined with its reason, and the reading goes on without it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import select, update
from sqlalchemy.orm import Session, defer

from sync.connect import export_specs
from sync.depot import open_depot
from sync.empty_exports import was_read
from sync.export_copies import Found, Key, note_moves, sort_by_content
from sync.export_overlaps import overlaps, sampled_files
from sync.export_report import ExportReport, Listed, report_of
from sync.lake import Lake
from sync.quarantine import Refused, note_refused, quarantined_files, refuse_unread
from sync.reading import Progress, Reading, clock_of_data, read_file
from sync.settings import Settings
from sync.store import Store
from sync.store.tables import ExportFileRow
from sync.usage_days import reduce_events

if TYPE_CHECKING:
    from connectors.exports.depot import Depot
    from connectors.exports.spec import ExportFile, ExportSpec


def ingest(
    settings: Settings,
    store: Store,
    lake: Lake,
    *,
    run_id: str | None,
    now: datetime,
    progress: Progress | None = None,
) -> ExportReport:
    """Read the export files that are new or changed; those that can't be used are quarantined.

    A file whose spec changed (columns, zone, key) is read again: the same bytes now mean other rows. Raises
    InputError for an entry without a file, and for one of which no file could ever be read (the others are
    in the lake then); SettingError for a kind that can't be read."""
    known = known_files(store)

    def held(spec: ExportSpec, address: str, size: int | None, tag: str) -> str | None:
        row = known.get((spec.kind, address))
        if row is None or row.tag != tag or row.spec_hash != spec_hash(spec) or size not in {None, row.size}:
            return None
        return row.sha256

    with open_depot(settings, held, latest=clock_of_data(store, now)) as depot:
        return _ingest(settings, store, lake, depot, run_id=run_id, now=now, progress=progress)


def _ingest(
    settings: Settings,
    store: Store,
    lake: Lake,
    depot: Depot,
    *,
    run_id: str | None,
    now: datetime,
    progress: Progress | None,
) -> ExportReport:
    from connectors.exports.listing import list_files

    known = known_files(store)
    specs = export_specs(settings)
    listed = [(spec, file) for spec in specs for file in list_files(spec, depot)]
    present = {(spec.kind, file.name): (spec, file) for spec, file in listed}
    found = _sorted(present, known)
    latest, zone = clock_of_data(store, now), settings.company.timezone
    readings: list[Reading] = []
    refused: dict[Key, Refused] = {}
    try:
        for key in found.unseen:
            spec, file = present[key]
            one = read_file(spec, file, lake, zone=zone, latest=latest, progress=progress)
            if isinstance(one, Reading):
                readings.append(one)
            else:
                refused[key] = one
    except BaseException:
        lake.discard(segment for one in readings for segment in one.segments)
        raise
    found = _without_bad_copies(found, refused, present)
    elsewhere = set(found.moved.values())
    missing = [
        key
        for key, row in known.items()
        if key not in present and key not in elsewhere and row.status == "read"
    ]
    back = [key for key, row in known.items() if key in present and row.status == "missing"]

    def manifest(session: Session) -> None:
        note_moves(session, found.moved)
        for one in readings:
            session.merge(_manifest_row(one, run_id, now))
        for status, keys in (("missing", missing), ("read", back)):
            for kind, path in keys:
                session.execute(
                    update(ExportFileRow)
                    .where(ExportFileRow.kind == kind, ExportFileRow.path == path)
                    .values(status=status)
                )
        _note_tags(session, listed)
        note_refused(session, list(refused.values()), run_id=run_id, now=now)

    lake.commit(
        [segment for one in readings for segment in one.segments],
        run_id=run_id,
        now=now,
        replace=[each for one in readings for each in one.replaces],
        also=manifest,
    )
    reduce_events(lake, run_id=run_id, now=now)
    read_now = {one.spec.path for one in readings}
    readable = read_now | {spec.path for spec in specs if was_read(spec, known.values())}
    refuse_unread(refused, readable, specs)
    fresh = {one.file.name for one in readings if one.spec.kind == "events"}
    shared = overlaps(sampled_files(store), among=fresh) if fresh else []
    return replace(
        report_of(known, listed, readings, missing=missing, found=found, refused=refused),
        overlaps=tuple(str(each) for each in shared),
        quarantined=tuple(quarantined_files(store)),
    )


def _sorted(present: Mapping[Key, Listed], known: Mapping[Key, ExportFileRow]) -> Found:
    """The files that must be read, and those that moved or say what another says.

    One that can't be opened says nothing yet, so it is like no other."""
    fresh = {
        key: (spec.kind, file.sha256 or file.name, spec_hash(spec))
        for key, (spec, file) in present.items()
        if not is_known(known.get(key), spec, file)
    }
    return sort_by_content(fresh, known, present)


def _without_bad_copies(found: Found, refused: dict[Key, Refused], present: Mapping[Key, Listed]) -> Found:
    """A copy of a file that turned out to be bad is as bad: it is refused too, for the same reason."""
    for key, original in found.copies.items():
        if (bad := refused.get(original)) is not None:
            spec, file = present[key]
            refused[key] = Refused(spec=spec, file=file, error=bad.error)
    good = {key: original for key, original in found.copies.items() if key not in refused}
    return replace(found, copies=good)


def _note_tags(session: Session, listed: Sequence[Listed]) -> None:
    """Keep the version under which the bytes that we know lie in their store now."""
    for spec, file in listed:
        if file.tag:
            session.execute(
                update(ExportFileRow)
                .where(
                    ExportFileRow.kind == spec.kind,
                    ExportFileRow.path == file.name,
                    ExportFileRow.sha256 == file.sha256,
                )
                .values(tag=file.tag)
            )


def known_files(store: Store) -> dict[Key, ExportFileRow]:
    """Every file that counts, by kind and path."""
    query = select(ExportFileRow).options(defer(ExportFileRow.sample), defer(ExportFileRow.days))
    with store.session() as session:
        return {(row.kind, row.path): row for row in session.scalars(query)}


def is_known(row: ExportFileRow | None, spec: ExportSpec, file: ExportFile) -> bool:
    """Whether the same bytes were read before, and by the same spec."""
    return row is not None and row.sha256 == file.sha256 and row.spec_hash == spec_hash(spec)


def spec_hash(spec: ExportSpec) -> str:
    """A hash of how the file is read; where it lies (`path`, a glob) does not change what it says."""
    reading = {name: value for name, value in asdict(spec).items() if name != "path"}
    return hashlib.sha256(json.dumps(reading, sort_keys=True, default=str).encode()).hexdigest()


def _manifest_row(one: Reading, run_id: str | None, now: datetime) -> ExportFileRow:
    tally, is_sampled = one.tally, one.spec.kind == "events" and not one.file.reduced
    return ExportFileRow(
        kind=one.spec.kind,
        path=one.file.name,
        format=one.format,
        spec_hash=spec_hash(one.spec),
        size=one.file.size,
        sha256=one.file.sha256,
        rows=tally.rows,
        first_at=tally.first,
        last_at=tally.last,
        status="read",
        run_id=run_id,
        read_at=now,
        days=tally.days,
        tag=one.file.tag,
        sample=tally.sample.to_bytes() if is_sampled else None,
        sample_bits=tally.sample.bits,
    )
