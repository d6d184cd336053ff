"""What Upswell asks of a CRM, and the values that travel: written from both vendors' facts.

Where the vendors differ, the difference is a capability (batch size, conditional write, how a
record is linked), not a shape: nothing outside `connectors/<vendor>` knows which CRM it talks to.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

import pyarrow as pa

from connectors.fields import FieldSpec, ObjectSpec
from connectors.installing import NO_EXTRAS, Extras, InstallReport
from connectors.own_rows import Room, RowDraft

if TYPE_CHECKING:
    from connectors.checkup import Remark
    from connectors.write_jobs import WriteJobs

Value = str | float | int | bool | date | datetime | tuple[str, ...] | None
"""A cell as Python sees it: a tuple is a multi-select, None is empty. Vendors' string formats stay inside."""


class RowOutcome(StrEnum):
    """What became of one row of a write."""

    APPLIED = "applied"
    UNCHANGED = "unchanged"  # the CRM holds the value already
    CONFLICT = "conflict"  # someone changed it since we read it; left alone
    GONE = "gone"  # deleted
    MERGED = "merged"  # deleted into a survivor
    REFUSED = "refused"  # the CRM's rules say no; vendor_code and fix say why
    FAILED = "failed"  # may pass later
    QUARANTINED = "quarantined"  # three attempts took a worker down


class FieldType(StrEnum):
    """Kinds of cell that both CRMs know."""

    TEXT = "text"
    LONG_TEXT = "long_text"
    NUMBER = "number"
    PERCENT = "percent"  # 0–100 in the CRM, 0–1 with us
    CURRENCY = "currency"
    CHECKBOX = "checkbox"
    DATE = "date"
    DATETIME = "datetime"
    PICKLIST = "picklist"
    MULTI_PICKLIST = "multi_picklist"
    REFERENCE = "reference"
    OTHER = "other"  # readable as text, never written


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldSchema:
    """One field as the org describes it to the integration user."""

    name: str
    label: str
    type: FieldType
    length: int | None = None  # characters, text only
    precision: int | None = None  # digits in all
    scale: int | None = None  # digits after the point
    options: tuple[str, ...] = ()
    restricted: bool = False  # a value outside options is refused
    createable: bool = False
    updateable: bool = False
    calculated: bool = False
    external_id: bool = False
    unique: bool = False
    help: str = ""  # what people are told about it; on HubSpot its description
    group: str = ""  # HubSpot's property group
    references: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectSchema:
    """One object (Salesforce sObject, HubSpot object type) as the org describes it."""

    name: str
    label: str
    fields: Mapping[str, FieldSchema]
    createable: bool
    updateable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What differs between the vendors, as figures that planning can use."""

    write_batch: int  # records in one write call
    write_bytes: int = 24_000_000  # of one write call's body; half of what Salesforce takes
    job_batch: int = 0  # records that a job of `Crm.jobs` may bear; 0: there are none
    job_bytes: int = 100_000_000
    job_calls: int = 6  # that a job takes besides reading: open, upload, close, a look or two, results
    read_batch: int  # records in one read-by-id call
    page_size: int  # rows a query page holds at most
    conditional_write: frozenset[str] = frozenset()  # objects where `Change.unmodified_since` is obeyed
    partial_result: bool = True  # a batch may succeed row by row
    read_again: float = 1.0  # share of what was written that is read back; the rest, the reply itself shows
    links_in_record: bool = True  # False: associations cost calls of their own
    unique_task_key: bool = False  # the CRM itself refuses a second task with our key
    money_per_record: bool = False  # a money field is in the currency of its record, not in the org's
    columns_alone: bool = False  # some columns of all records cost less than all columns of them
    longest_call: float = 65.0  # seconds after which a call has ended here, with a reply or without

    def within(self, *, write_batch: int, longest_call: float) -> Capabilities:
        """The same for a connection with its own limits; a `write_batch` of 0 leaves it to the vendor.

        Who wants smaller calls, so that less time passes between reading and writing, wants no jobs."""
        batch = min(self.write_batch, write_batch or self.write_batch)
        jobs = self.job_batch if batch == self.write_batch else 0
        return replace(self, write_batch=batch, job_batch=jobs, longest_call=longest_call)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrgInfo:
    """Which org this is; a plan is bound to `id`."""

    id: str
    name: str
    kind: str  # salesforce, hubspot
    url: str
    currency: str
    timezone: str
    api_version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One record as it stands now; `values` by vendor field name, `modified_at` in UTC."""

    object: str
    id: str
    values: Mapping[str, Value]
    modified_at: datetime | None = None
    is_deleted: bool = False
    merged_into: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """New values for one record. `key` names the operation and is fixed before its first attempt.

    With `unmodified_since`, where the platform can, a record that moved after it is left alone: FAILED, since
    only another reading tells whether what moved is ours to heed."""

    key: str
    object: str
    id: str
    values: Mapping[str, Value]
    unmodified_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RowResult:
    """What became of one `Change` or `TaskDraft`, matched by `key`.

    `held` are the fields of an applied change as the CRM's reply shows them after the write, so that nothing
    need be read again to verify it; None where the reply does not show them all. `refused_with` counts the
    other rows that were refused together with it: which of them is meant, a smaller call tells."""

    key: str
    outcome: RowOutcome
    id: str | None = None
    vendor_code: str | None = None
    message: str | None = None
    fix: str | None = None
    held: Mapping[str, Value] | None = None
    refused_with: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskDraft:
    """A task to create. `key` (account, play, cycle) makes it findable, so it is never made twice."""

    key: str
    subject: str
    body: str
    due: date
    owner_id: str | None
    account_crm_id: str
    contact_crm_id: str | None
    priority: str = "normal"  # low, normal, high


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskState:
    """A task of ours as the CRM holds it; `touched` is True once a person has changed it.

    `outcome` is what a person picked, the key of an option of our field. `outcome_at` is when they picked it,
    where the CRM keeps a history, else when the task was closed or last changed; None while it is open and
    without an outcome."""

    key: str
    id: str
    account_crm_id: str | None
    owner_id: str | None
    subject: str
    is_closed: bool
    touched: bool
    due: date | None = None
    outcome: str | None = None
    outcome_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Records modified in [since, until), UTC. With since None it is a full read: every record there is,
    whenever it was modified; `until` is then only where the next window starts."""

    since: datetime | None
    until: datetime

    @property
    def new_day(self) -> bool:
        """Whether it spans a midnight UTC: once a day, however often pulls run; never a full read."""
        return self.since is not None and self.since.date() != self.until.date()


Held = Callable[[str, Sequence[str]], pa.Table]
"""Columns of a canonical table's live rows, as we hold them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """API calls: ours over this connection, and the org's over its window where the CRM tells."""

    calls: int
    org_used: int | None
    org_limit: int | None
    waited: float = 0.0  # seconds for which our calls were held back by the CRM's rate limits
    ours: int | None = None  # of all our processes in 24 hours, where a budget counts them


class Crm(Protocol):
    """A CRM that we can read, and that only `sync/apply.py` and `sync/rollback.py` may write to."""

    capabilities: Capabilities
    jobs: WriteJobs | None

    def org(self) -> OrgInfo:
        """Which org this is. Raises LoginError when the credentials are refused."""
        ...

    def server_time(self) -> datetime:
        """The CRM server's clock from its last reply's Date header (one cheap call if there was none)."""
        ...

    def object_name(self, table: str) -> str:
        """The vendor's object behind a canonical table: accounts -> Account or companies."""
        ...

    def describe(self, object_name: str) -> ObjectSchema:
        """The object as the integration user sees it; cached for the life of the connection.

        Raises SetupError when the object is not visible."""
        ...

    def tables(self) -> Mapping[str, str]:
        """The canonical tables that this CRM delivers, in the order in which they are best read.

        With each the object that the settings name for it, empty where it is the usual one."""
        ...

    def pull(self, table: str, window: Window, *, also: Collection[str] = ()) -> Iterator[pa.Table]:
        """Pages of a canonical table (schema of connectors.canonical), deleted rows flagged.

        `also` are the tables that will be asked for next, over the same window: where the CRM tells two
        tables in one reply, it is asked once. A table whose object the user can't see raises SetupError; a
        mapped field that the org lacks raises SetupError naming table, column and field."""
        ...

    def hidden(self, table: str) -> Mapping[str, str]:
        """Of the objects that deliver a table together, those that our user does not see, and why.

        The rows of the others come; told once the table was pulled."""
        ...

    def moved(self, table: str, held: Held) -> Iterator[pa.Table]:
        """What changed in the rows we hold although the CRM's stamp did not move; asked for once a day.

        Pages of whole rows, a row that is gone flagged, or only of `crm_id` and the columns to replace."""
        ...

    def mapped(self, table: str) -> Mapping[str, str]:
        """The fields that the settings name for columns of the table, by column."""
        ...

    def reread(self, table: str, columns: Collection[str], held: Held) -> Iterator[pa.Table]:
        """The rows we hold that say something else in these mapped columns: `crm_id` and the columns.

        Only with `capabilities.columns_alone`."""
        ...

    def read(self, object_name: str, ids: Sequence[str], fields: Sequence[str]) -> Mapping[str, Record]:
        """The records as they stand now, by id; a missing id was deleted for good. Batches inside."""
        ...

    def write(self, changes: Sequence[Change]) -> list[RowResult]:
        """One result a change, in order, of one object; at most `capabilities.write_batch`.

        One whose outcome the reply does not tell has no result. Raises AmbiguousError when the whole reply
        was lost, and what says that nothing happened: QuotaError, TransientError, TerminalError."""
        ...

    def create_tasks(self, drafts: Sequence[TaskDraft]) -> list[RowResult]:
        """One result a draft, `id` set when applied; as of `write`."""
        ...

    def find_tasks(
        self, keys: Iterable[str], *, sent_to: Mapping[str, str] | None = None
    ) -> Mapping[str, TaskState]:
        """Our tasks that exist, by key. Batches inside.

        `sent_to` is the account (record id) by key of tasks that some process may just have made: they are
        found even where the CRM's index lags."""
        ...

    def close_tasks(self, tasks: Mapping[str, str]) -> list[RowResult]:
        """Close tasks (id -> note appended to the body); `key` of each result is the task id."""
        ...

    def create_rows(self, table: str, drafts: Sequence[RowDraft]) -> list[RowResult]:
        """One result a draft of an object of our own (by its key); as of `write`, with the row's `id`.

        One whose key is there already is UNCHANGED. A row whose account is gone is added without it."""
        ...

    def find_rows(self, table: str, keys: Iterable[str]) -> Mapping[str, str]:
        """The ids of rows of an object of our own, by key. Batches inside."""
        ...

    def room_for_rows(self) -> Room | None:
        """How many more rows the org may hold; None where it does not say."""
        ...

    def install(
        self,
        specs: Sequence[FieldSpec],
        objects: Sequence[ObjectSpec] = (),
        *,
        extras: Extras = NO_EXTRAS,
        apply: bool,
    ) -> InstallReport:
        """Create the fields, the objects of our own, and the extras that are missing; never change what is
        there with another definition. What this CRM can't have is told in a warning."""
        ...

    def remove(
        self,
        specs: Sequence[FieldSpec],
        objects: Sequence[ObjectSpec] = (),
        *,
        made: Collection[str] = (),
        apply: bool,
    ) -> InstallReport:
        """Take away what an install made, and nothing else; an object of our own with all its rows.

        That is what `made` names (object.name, as the steps of an install do), and what is recognisably ours
        by its name and the text that explains it. Without `apply` nothing is done."""
        ...

    def field_name(self, spec: FieldSpec) -> str:
        """The vendor's name of one of our fields: score -> Expansion_Score__c or expansion_score."""
        ...

    def examine(self, specs: Sequence[FieldSpec]) -> Iterator[Remark]:
        """A check-up of what only this vendor has: nothing is changed. `specs` are our fields."""
        ...

    def usage(self) -> Usage:
        """API calls so far."""
        ...

    def close(self) -> None:
        """Give back the connections."""
        ...
