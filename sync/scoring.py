"""One scoring, shared out: the rows as of the day in one file, predictions of each range in their own.

The rows are built once, so every process scores the same ones; whoever finds all ranges done puts them
together and gives the ranks. A file is written aside and renamed, and counts by the sha256 that the ledger
has of it. One process goes the same way. All processes see the lake's folder.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import pyarrow as pa
import pyarrow.compute as pc

from connectors.errors import InputError, UsageError
from model.panel import Rows, data_hash
from model.predict import predict_range, rank
from model.trained import TrainedModel
from sync.heartbeat import Heartbeat
from sync.model_settings import tiers_of
from sync.movement import with_movement
from sync.people import with_whom
from sync.ranges import (
    Range,
    claim_range,
    keep_range,
    plan_ranges,
    range_files,
    ranges_left,
    renew_range,
    reopen_range,
)
from sync.segments import file_sha256
from sync.similar import with_like_this
from sync.store import Store
from sync.store.runs import run_ended
from sync.store.scores import has_scores, save_scores

if TYPE_CHECKING:
    from sync.workplace import Workplace

FOLDER: Final = "scoring"  # below the lake's
ACCOUNT: Final = "account:"  # before the account's own columns, which are no features
OWN_COLUMNS: Final = ("crm_id", "external_id", "name", "owner_id")
KEPT: Final = timedelta(days=1)  # how long the files outlive their run, for whoever looks into it
FORGOTTEN: Final = timedelta(days=8)  # a run that never ended may go on for seven days


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreReport:
    """Scores as they were kept in the ledger, with the account's own columns beside them."""

    run_id: str
    as_of: date
    model_version: str
    scores: pa.Table
    rows: Rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Scoring:
    """A scoring under way: its rows, the model, and the accounts' own columns, row by row."""

    run_id: str
    as_of: date
    data_hash: str
    rows: Rows
    accounts: pa.Table
    trained: TrainedModel


def score_report(scoring: Scoring, scores: pa.Table) -> ScoreReport:
    """What was kept, as whoever shows it wants it."""
    return ScoreReport(
        run_id=scoring.run_id,
        as_of=scoring.as_of,
        model_version=scoring.trained.version,
        scores=scores,
        rows=scoring.rows,
    )


def open_scoring(work: Workplace, run_id: str, as_of: date) -> dict[str, Any]:
    """What `load_scoring` needs to know, as JSON: the rows are on the disk and cut into ranges.

    Raises UsageError while there is no model, ModelError when no account is an active customer."""
    version = work.registry.current
    if version is None:
        raise UsageError("there is no model yet.", fix="train one first: upswell train")
    rows = work.rows(as_of)
    table = rows.table.combine_chunks()
    facts = {"as_of": as_of.isoformat(), "model": version, "data_hash": data_hash(table)}
    own = work.tables().tables["accounts"].select("account_id", *OWN_COLUMNS).to_pyarrow()
    place = pc.index_in(table["account_id"], own["account_id"])
    for name in OWN_COLUMNS:
        table = table.append_column(ACCOUNT + name, own[name].take(place))
    meaning = {
        "features": list(rows.features),
        "categorical": list(rows.categorical),
        "signals": dict(rows.signals),
        "through": {name: day.isoformat() for name, day in rows.through.items()},
    }
    table = table.replace_schema_metadata({"upswell": json.dumps(meaning)})
    path = f"{FOLDER}/{run_id}/rows-{uuid4().hex[:8]}.arrow"
    digest = _write(work.lake.folder / path, table)
    ranges = plan_ranges(work.store, run_id, rows=table.num_rows, size=work.settings.worker.range_size)
    return facts | {"rows": path, "sha256": digest, "accounts": table.num_rows, "ranges": ranges}


def load_scoring(work: Workplace, run_id: str, facts: Mapping[str, Any]) -> Scoring:
    """The scoring that `open_scoring` made ready. Raises InputError when its file is gone or damaged."""
    table = _read(work.lake.folder / facts["rows"], facts["sha256"])
    own = [name for name in table.column_names if name.startswith(ACCOUNT)]
    accounts = table.select(own).rename_columns([name.removeprefix(ACCOUNT) for name in own])
    meaning = json.loads(table.schema.metadata[b"upswell"])
    rows = Rows(
        table=table.drop_columns(own).replace_schema_metadata(None),
        features=tuple(meaning["features"]),
        categorical=tuple(meaning["categorical"]),
        signals=meaning["signals"],
        through={name: date.fromisoformat(day) for name, day in meaning["through"].items()},
    )
    return Scoring(
        run_id=run_id,
        as_of=date.fromisoformat(facts["as_of"]),
        data_hash=facts["data_hash"],
        rows=rows,
        accounts=accounts,
        trained=work.registry.load(facts["model"]),
    )


def score_range(work: Workplace, scoring: Scoring, beat: Heartbeat) -> bool:
    """Whether there was a range to score; it is scored now, and the ledger says by which process."""
    held = claim_range(work.store, scoring.run_id, work.owner, now=work.machine_clock(), lease=beat.lease)
    if held is None:
        return False
    with beat.holding(lambda until: renew_range(work.store, held, until)):
        part = _predict(work, scoring, held)
        path = f"{FOLDER}/{held.run_id}/{held.position:05d}-{held.fence}.arrow"
        digest = _write(work.lake.folder / path, part)
    process = f"{socket.gethostname()}:{os.getpid()}"
    now = work.machine_clock()
    if not keep_range(work.store, held, process=process, path=path, sha256=digest, now=now):
        # another has claimed it meanwhile and writes a file of its own
        (work.lake.folder / path).unlink(missing_ok=True)
    return True


def close_scoring(work: Workplace, scoring: Scoring) -> pa.Table | None:
    """The scores, best priority first, kept in the ledger; None when a range has to be scored again.

    They have the columns of `sync.store.scores.SCORES` and the accounts' own."""
    parts, whole = [], True
    for file in range_files(work.store, scoring.run_id):
        try:
            parts.append(_read(work.lake.folder / file.path, file.sha256))
        except InputError:
            reopen_range(work.store, scoring.run_id, file.position)
            whole = False
    if not whole or ranges_left(work.store, scoring.run_id):
        return None
    scores = rank(pa.concat_tables(parts))
    for name in OWN_COLUMNS:
        scores = scores.append_column(name, scoring.accounts[name])
    scores = scores.sort_by([("priority", "ascending"), ("account_id", "ascending")])
    scores = _with_the_past(work, scoring, scores)
    if not has_scores(work.store, scoring.run_id):  # else a process died between this and its last word
        save_scores(
            work.store,
            scoring.run_id,
            scores,
            as_of=scoring.as_of,
            model_version=scoring.trained.version,
            data_hash=scoring.data_hash,
            now=work.clock(),
            detail={"target": scoring.trained.target.as_json()},
        )
    sweep_scorings(work.lake.folder, work.store, work.clock())
    return scores


def _with_the_past(work: Workplace, scoring: Scoring, scores: pa.Table) -> pa.Table:
    """The scores with what ledger and lake tell beside them: why each moved, others like it, its people."""
    resolved, as_of = work.tables(), scoring.as_of
    scores = with_movement(work.store, scores, as_of, resolved.lineage)
    scores = with_like_this(work.store, resolved, scores, scoring.trained, as_of)
    return with_whom(resolved.tables, scores, as_of)


def sweep_scorings(folder: Path, store: Store, now: datetime) -> int:
    """How many scorings' files were removed: of runs that ended a day ago, or are unknown, or never ended."""
    removed = 0
    for path in sorted((folder / FOLDER).glob("*")):
        ended = run_ended(store, path.name)
        written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        if now - written >= FORGOTTEN or (ended is not None and now - ended >= KEPT):
            shutil.rmtree(path, ignore_errors=True)
            removed += 1
    return removed


def _predict(work: Workplace, scoring: Scoring, held: Range) -> pa.Table:
    return predict_range(
        scoring.trained,
        replace(scoring.rows, table=scoring.rows.table.slice(held.first, held.rows)),
        tiers=tiers_of(work.settings),
        products=work.products,
    )


def _write(path: Path, table: pa.Table) -> str:
    """The sha256 of the file, which is on the disk before anybody is told of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{uuid4().hex}.part")
    try:
        with draft.open("wb") as file:
            with pa.ipc.new_file(file, table.schema) as writer:
                writer.write_table(table)
            file.flush()
            os.fsync(file.fileno())
        digest = file_sha256(draft)
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    return digest


def _read(path: Path, sha256: str) -> pa.Table:
    """The file's rows. Raises InputError when it is gone, or is not the file that was written."""
    if not path.is_file() or file_sha256(path) != sha256:
        raise InputError(
            "this file of a scoring under way is gone or damaged.",
            record=str(path),
            fix="see that all workers have the same [lake] folder, then score again: upswell score",
        )
    with pa.memory_map(str(path)) as source:
        return pa.ipc.open_file(source).read_all()
