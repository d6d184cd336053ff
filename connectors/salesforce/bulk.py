"""The result of a query by Bulk API 2.0: a job, its sets of results on the disk, then its records.

Nothing is handed out before every set is there and whole, so that a caller can still turn to REST, and
memory holds a few thousand records however many there are.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from connectors.errors import LoginError, SetupError, TerminalError, TransientError
from connectors.page import Records
from connectors.salesforce.bulk_csv import Columns, count_records, header_of, pieces
from connectors.salesforce.client import SalesforceClient

_log: Final = logging.getLogger(__name__)

_SET: Final = 250_000  # records a set of results, which is what is read again when its reply breaks off
_FIRST_WAIT: Final = 0.2  # seconds; each look costs an API call, so the next ones come less and less often
_SLOWER: Final = 3.0
_LONGEST_WAIT: Final = 30.0
_PATIENCE: Final = 7_200.0  # seconds of waiting for one job
_TRIES: Final = 2  # jobs for one query, and fetches of a set of results that came in part
_NOT_TAKEN: Final = "INVALIDENTITY"


class BulkUnfitError(Exception):
    """Bulk does not deliver this query; no record of it was handed out."""


class _JobLostError(Exception):
    """The job failed, was aborted or is gone: another one may do."""


class Bulk:
    """Reads whole queries by query jobs."""

    def __init__(self, client: SalesforceClient, *, sleep: Callable[[float], None]) -> None:
        self._client = client
        self._sleep = sleep
        self._not_taken: set[str] = set()

    def takes(self, object_name: str) -> bool:
        """Whether Salesforce has not said yet that it reads no such objects by Bulk."""
        return object_name not in self._not_taken

    def records(
        self, object_name: str, statement: str, columns: Columns, *, deleted: bool
    ) -> Iterator[Records]:
        """All records of the statement, in no order; `deleted` asks queryAll.

        Raises BulkUnfitError before the first record, or the connector's own errors."""
        with TemporaryDirectory(prefix="upswell-bulk-") as folder:
            for path in self._sets(object_name, statement, columns, Path(folder), deleted=deleted):
                yield from pieces(path, columns)
                path.unlink()

    def _sets(
        self, object_name: str, statement: str, columns: Columns, folder: Path, *, deleted: bool
    ) -> list[Path]:
        """Every set of results as a file."""
        for left in reversed(range(_TRIES)):
            job = self._create(object_name, statement, deleted=deleted)
            try:
                told = self._wait(job)
                return self._download(job, told, columns, folder)
            except _JobLostError as error:
                _log.warning("Bulk query job %s over %s: %s", job, object_name, error)
                if not left:
                    raise BulkUnfitError(str(error)) from None
        raise AssertionError("there is at least one try")

    def _create(self, object_name: str, statement: str, *, deleted: bool) -> str:
        """The id of a new job; a lost reply costs a second job, which does no harm."""
        body = {
            "operation": "queryAll" if deleted else "query",
            "query": statement,
            "contentType": "CSV",
            "columnDelimiter": "COMMA",
            "lineEnding": "LF",
        }
        try:
            return str(self._client.ask("jobs/query", body)["id"])
        except LoginError:
            raise
        except (SetupError, TerminalError) as error:
            if getattr(error, "vendor_code", None) == _NOT_TAKEN:
                self._not_taken.add(object_name)
            raise BulkUnfitError(str(error)) from None

    def _wait(self, job: str) -> Mapping[str, Any]:
        """What the job says of itself once it is complete."""
        wait, waited = _FIRST_WAIT, 0.0
        while waited < _PATIENCE:
            self._sleep(wait)
            waited += wait
            wait = min(wait * _SLOWER, _LONGEST_WAIT)
            told = self._look(job)
            if told["state"] == "JobComplete":
                return told
            if told["state"] not in {"UploadComplete", "InProgress"}:
                raise _JobLostError(f"{told['state']}: {told.get('errorMessage') or 'no reason given'}")
        self._abort(job)
        raise TransientError(
            f"A Bulk query job was still at work after {waited / 60:.0f} minutes, and was aborted.",
            record=job,
            fix='Pull again later, or set bulk_reads = "never" in [crm.salesforce] to read page by page.',
        )

    def _look(self, job: str) -> Mapping[str, Any]:
        try:
            told: Mapping[str, Any] = self._client.read(f"jobs/query/{job}")
        except LoginError:
            raise
        except TerminalError as error:
            raise _JobLostError(str(error)) from None
        return told

    def _abort(self, job: str) -> None:
        try:
            self._client.set_up("PATCH", f"jobs/query/{job}", {"state": "Aborted"})
        except (TransientError, TerminalError) as error:
            _log.warning("Bulk query job %s could not be aborted: %s", job, error)

    def _download(self, job: str, told: Mapping[str, Any], columns: Columns, folder: Path) -> list[Path]:
        """The job's sets of results, whole: as many records as the job says, under the right names."""
        paths: list[Path] = []
        locator: str | None = ""
        found = 0
        while locator is not None:
            path = folder / f"{job}-{len(paths)}.csv"
            locator, records = self._one_set(job, locator, columns, path)
            found += records
            paths.append(path)
        expected = told.get("numberRecordsProcessed")
        if expected is not None and int(expected) != found:
            raise _JobLostError(f"its results hold {found:,} records, not the {int(expected):,} it read")
        return paths

    def _one_set(self, job: str, locator: str, columns: Columns, path: Path) -> tuple[str | None, int]:
        """The next set's locator, and how many records this one holds."""
        params = {"maxRecords": str(_SET)} | ({"locator": locator} if locator else {})

        for _ in range(_TRIES):
            try:
                with path.open("w+b") as file:
                    headers = self._client.download(f"jobs/query/{job}/results", params, file)
            except LoginError:
                raise
            except TerminalError as error:
                raise _JobLostError(str(error)) from None
            except OSError as error:
                raise BulkUnfitError(f"its results can't be kept in {path.parent}: {error}") from None
            records = count_records(path)
            stated = headers.get("Sforce-NumberOfRecords", "")
            if records is not None and (not stated.isdigit() or int(stated) == records):
                break
        else:
            raise BulkUnfitError("a set of its results is cut off, each time it is fetched")
        names = [name.lower() for name in header_of(path)]
        if sorted(names) != sorted(name.lower() for name in columns):
            raise BulkUnfitError(f"its results have the columns {', '.join(names)[:200]}")
        after = headers.get("Sforce-Locator", "null")
        return (None if after in {"null", ""} else after), records
