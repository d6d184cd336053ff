"""CPU of reading a million events of each export format, beside a bare read of the same file.

The bare read parses the columns that are needed and does nothing else: pyarrow for CSV and Parquet, DuckDB
for JSON lines. What comes on top makes a file fit to be used: lines, encodings, strict types, zones,
plausible times, accounts from groups, events delivered twice.
"""

from __future__ import annotations

import gzip
import io
import json
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from connectors.exports.spec import ExportFile, ExportSpec
from connectors.exports.table import iter_export
from infra.doubles.analytics import amplitude_event, mixpanel_event, pendo_row, posthog_event, segment_call

EVENTS = 200_000
START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A file of one format, the bare way to read it, and the rows that must come of it."""

    name: str
    path: Path
    bare: Callable[[Path], object]
    rows: int
    account_key: str = "account_key"


def main() -> None:
    """Print one JSON line for each figure."""
    with tempfile.TemporaryDirectory(prefix="upswell-bench-") as folder:
        for subject in subjects(Path(folder)):
            _measure(subject)
            subject.path.unlink()


def subjects(folder: Path) -> Iterator[Subject]:
    """A file of each format, written one after the other."""
    moments = [START + timedelta(seconds=37 * n) for n in range(EVENTS)]
    table = pa.table(
        {
            "account_key": [f"{n % 997:05}" for n in range(EVENTS)],
            "user_id": [f"user-{n % 9973}" for n in range(EVENTS)],
            "event": [("view", "edit", "export")[n % 3] for n in range(EVENTS)],
            "feature": [f"feature {n % 40}" for n in range(EVENTS)],
            "at": [moment.isoformat() for moment in moments],
            "session_id": [f"s{n // 20}" for n in range(EVENTS)],
        }
    )
    path = folder / "events.csv"
    pa_csv.write_csv(table, path)
    yield Subject(name="csv", path=path, bare=pa_csv.read_csv, rows=EVENTS)
    path = folder / "events.parquet"
    pq.write_table(table.set_column(4, "at", pa.array(moments, pa.timestamp("us", tz="UTC"))), path)
    yield Subject(name="parquet", path=path, bare=pq.read_table, rows=EVENTS)
    yield _objects(folder, "json", (dict(row) for row in table.to_pylist()), _json(table.column_names))
    yield _amplitude(folder, moments)
    mixpanel = (mixpanel_event(n, **{"$insert_id": f"i{n}"}) for n in range(EVENTS))
    yield _objects(
        folder, "mixpanel", mixpanel, _json(["event", "properties"]), account_key="properties.company_id"
    )
    segment = (segment_call("track", n, event="x") for n in range(EVENTS))
    wanted = ["type", "event", "userId", "context", "timestamp", "receivedAt", "messageId"]
    yield _objects(folder, "segment", segment, _json(wanted))
    posthog = [posthog_event(n) for n in range(EVENTS)]
    wanted = ["uuid", "event", "distinct_id", "properties", "timestamp", "created_at"]
    yield _objects(folder, "posthog_json", iter(posthog), _json(wanted))
    for each in posthog:
        each |= {"properties": json.dumps(each["properties"]), "person_properties": "{}"}
    path = folder / "posthog.parquet"
    pq.write_table(pa.Table.from_pylist(posthog), path)
    yield Subject(
        name="posthog_parquet", path=path, bare=lambda path: pq.read_table(path, columns=wanted), rows=EVENTS
    )
    pendo = (pendo_row(visitorId=f"v{n % 9973}") for n in range(EVENTS // 3))
    wanted = ["accountId", "visitorId", "featureId", "hour", "numEvents"]
    yield _objects(folder, "pendo", pendo, _json(wanted), rows=EVENTS // 3 * 3)


def _objects(
    folder: Path,
    name: str,
    objects: Iterator[dict[str, Any]],
    bare: Callable[[Path], object],
    *,
    rows: int = EVENTS,
    account_key: str = "account_key",
) -> Subject:
    """JSON lines, gzipped as vendors send them."""
    path = folder / f"{name}.json.gz"
    with gzip.open(path, "wt", compresslevel=1, encoding="utf-8") as stream:
        stream.writelines(json.dumps(each) + "\n" for each in objects)
    return Subject(name=name, path=path, bare=bare, rows=rows, account_key=account_key)


def _amplitude(folder: Path, moments: list[datetime]) -> Subject:
    """A zip of gzipped hours; the bare read is of the hours' text."""
    path = folder / "amplitude.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for hour in range(24):
            events = (
                amplitude_event(0, **{"$insert_id": f"i{n}", "event_time": str(moments[n])[:-6]})
                for n in range(hour, EVENTS, 24)
            )
            text = "".join(json.dumps(each) + "\n" for each in events)
            archive.writestr(f"1/1_2026-01-01_{hour}#0.json.gz", gzip.compress(text.encode(), 1))
    wanted = [
        "event_type",
        "event_time",
        "user_id",
        "groups",
        "session_id",
        "$insert_id",
        "server_upload_time",
    ]

    def bare(path: Path) -> object:
        with zipfile.ZipFile(path) as archive, duckdb.connect() as engine:
            for name in archive.namelist():
                text = gzip.decompress(archive.read(name))
                found = engine.read_json(io.BytesIO(text), columns=dict.fromkeys(wanted, "VARCHAR"))
                found.to_arrow_table()
        return None

    return Subject(name="amplitude", path=path, bare=bare, rows=EVENTS)


def _json(names: list[str]) -> Callable[[Path], object]:
    """A bare read of the top-level names by DuckDB."""

    def bare(path: Path) -> object:
        with duckdb.connect() as engine:
            return engine.read_json(str(path), columns=dict.fromkeys(names, "VARCHAR")).to_arrow_table()

    return bare


def _measure(subject: Subject) -> None:
    spec = ExportSpec(kind="events", path=str(subject.path), account_key=subject.account_key)
    file = ExportFile(path=subject.path, size=0, sha256="")

    def ours() -> int:
        now = datetime(2027, 1, 1, tzinfo=UTC)
        return sum(batch.num_rows for batch in iter_export(spec, file, now=now))

    if ours() != subject.rows:
        raise SystemExit(f"{subject.name}: other rows than were written")
    subject.bare(subject.path)
    cost, bare = (min(_cpu(read) for _ in range(3)) for read in (ours, lambda: subject.bare(subject.path)))
    million = 1_000_000 / subject.rows
    _print(
        f"export_{subject.name}_cpu",
        cost * million,
        "s a million events",
        f"bare read {bare * million:.2f} s",
    )
    _print(f"export_{subject.name}_ratio", cost / bare, "times a bare read", f"{subject.rows} events")


def _cpu(work: Callable[[], object]) -> float:
    begun = time.process_time()
    work()
    return time.process_time() - begun


def _print(name: str, value: float, unit: str, compared_with: str) -> None:
    print(json.dumps({"name": name, "value": round(value, 3), "unit": unit, "compared_with": compared_with}))


if __name__ == "__main__":
    main()
