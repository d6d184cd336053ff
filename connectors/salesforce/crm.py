"""Salesforce as a `connectors.crm.Crm`: the one class that the rest of Upswell sees."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

import pyarrow as pa

from connectors.budget import Budget
from connectors.canonical import MAPPED_KINDS
from connectors.checkup import Remark
from connectors.crm import (
    Capabilities,
    Change,
    Held,
    ObjectSchema,
    OrgInfo,
    Record,
    RowResult,
    TaskDraft,
    TaskState,
    Usage,
    Window,
)
from connectors.errors import SetupError, TerminalError
from connectors.fields import FieldSpec, ObjectSpec, field_specs, object_specs
from connectors.installing import NO_EXTRAS, Extras, InstallReport
from connectors.mappings import Mappings
from connectors.own_rows import Room, RowDraft
from connectors.pace import Pace
from connectors.salesforce import soql
from connectors.salesforce.auth import utc_now
from connectors.salesforce.bulk import Bulk
from connectors.salesforce.children import Children
from connectors.salesforce.client import SalesforceClient
from connectors.salesforce.collections import MOST
from connectors.salesforce.components import Components, parts_of
from connectors.salesforce.conditional import OBJECTS, SUBREQUESTS
from connectors.salesforce.deploy import Deployer
from connectors.salesforce.derive import Derivation
from connectors.salesforce.drift import stop_at_drift
from connectors.salesforce.examine import examine
from connectors.salesforce.fetch import Fetch
from connectors.salesforce.ingest import BATCH, BYTES, IngestJobs
from connectors.salesforce.install import Installer
from connectors.salesforce.opportunities import Closings
from connectors.salesforce.own_rows import OwnRows
from connectors.salesforce.permissions import PermissionSets
from connectors.salesforce.prices import ListPrices
from connectors.salesforce.read import Reader
from connectors.salesforce.removal import Remover
from connectors.salesforce.schema import Schemas
from connectors.salesforce.settings import SalesforceSettings
from connectors.salesforce.tables import OBJECTS_READ, sources_of
from connectors.salesforce.tasks import Tasks
from connectors.salesforce.write import READ_BATCH, Writer
from connectors.transport import HttpDoor, RequestSeen, RetryPolicy, Timeouts
from connectors.write_jobs import WriteJobs

_PAGE: Final = 2000
_ORG_FIELDS: Final = ("Id", "Name", "TimeZoneSidKey")


class Salesforce:
    """One org over simple-salesforce. Make it with `connect`."""

    capabilities: Capabilities = Capabilities(
        write_batch=MOST,
        read_batch=READ_BATCH,
        page_size=_PAGE,
        partial_result=True,
        links_in_record=True,
        columns_alone=True,
        money_per_record=True,  # "CurrencyIsoCode" of the record, where the org has several currencies
        unique_task_key=False,  # our field is none; an administrator may have made it so: describe tells
    )

    def __init__(
        self,
        client: SalesforceClient,
        mappings: Mappings,
        *,
        sleep: Callable[[float], None],
        write_batch: int = 0,
    ) -> None:
        able = self.capabilities
        if client.settings.bulk_writes == "auto" and not client.settings.conditional_writes:
            able = replace(able, job_batch=BATCH, job_bytes=BYTES)  # a job knows no condition
        if client.settings.conditional_writes:
            able = replace(able, conditional_write=OBJECTS, write_batch=SUBREQUESTS)
        self.capabilities = able.within(write_batch=write_batch, longest_call=client.door.timeouts.longest)
        self._client = client
        self._mappings = mappings
        self._schemas = Schemas(client.read, client.describe_all)
        self._writer = Writer(client, self._schemas)
        self.jobs: WriteJobs | None = IngestJobs(client, self._schemas)
        self._tasks = Tasks(
            client,
            self._schemas,
            self._writer,
            key_field=self.field_name(field_specs()["task_key"]),
            outcome_field=self.field_name(field_specs()["task_outcome"]),
        )
        self._own_rows = OwnRows(client, self._schemas, self._writer, client.settings.currency)
        deployer, sets = Deployer(client, sleep=sleep), PermissionSets(client)
        self._installer = Installer(client, self._schemas, deployer, sets)
        self._components = Components(client=client, deployer=deployer)
        self._remover = Remover(
            client=client,
            schemas=self._schemas,
            deployer=deployer,
            sets=sets,
            components=self._components,
        )
        bulk = Bulk(client, sleep=sleep) if client.settings.bulk_reads == "auto" else None
        fetch = Fetch(client, self._schemas, bulk=bulk, objects=OBJECTS_READ)
        children = Children(fetch, self._schemas)
        self._reader = Reader(
            fetch,
            self._schemas,
            mappings,
            derivation=Derivation(
                mappings=mappings,
                currency=client.settings.currency,
                customer_types=client.settings.customer_types,
                closings=Closings(children),
                prices=ListPrices(children, self._schemas),
                today=lambda: self.server_time().date(),
            ),
            children=children,
        )

    @classmethod
    def connect(
        cls,
        settings: SalesforceSettings,
        *,
        mapping: Mapping[str, Mapping[str, str]] | None = None,
        account_external_id: str = "",
        clock: Callable[[], datetime] | None = None,
        budget: Budget | None = None,
        pace: Pace | None = None,
        timeouts: Timeouts | None = None,
        retry: RetryPolicy | None = None,
        on_request: Callable[[RequestSeen], None] | None = None,
        write_batch: int = 0,
    ) -> Salesforce:
        """A connection that is logged in. `mapping` is [mapping.*]: table -> canonical column -> field.

        `clock` dates the login's assertion (the machine's clock by default); `write_batch` is how many
        records a write call may hold, where less than Salesforce takes. Raises LoginError, SettingError, or
        TransientError when the org can't be reached.
        """
        policy = retry if retry is not None else RetryPolicy()
        urls = [url for url in (settings.login_url, settings.instance_url) if url]
        door = HttpDoor(
            timeouts=timeouts,
            ca_file=settings.ca_file or None,
            plain_http=tuple(url for url in urls if url.startswith("http://")),
            on_request=on_request,
        )
        client = SalesforceClient(
            settings, door=door, retry=policy, budget=budget, pace=pace, now=clock or utc_now
        )
        mappings = Mappings.of(mapping or {}, account_external_id)
        return cls(client, mappings, sleep=policy.sleep, write_batch=write_batch)

    def org(self) -> OrgInfo:
        """Which org this is; id and time zone from Organization."""
        try:
            held = self._organization(_ORG_FIELDS)
        except SetupError:  # an org that hides one of them; asking describe first would cost a call each time
            held = self._organization(
                [name for name in _ORG_FIELDS if self._schemas["Organization"].has(name)]
            )
        if held is None:
            raise TerminalError("The org does not say which one it is.", record="Organization")
        return OrgInfo(
            id=str(held["Id"]),
            name=str(held.get("Name") or ""),
            kind="salesforce",
            url=self._client.instance_url,
            currency=self._client.settings.currency,
            timezone=str(held.get("TimeZoneSidKey") or "UTC"),
            api_version=self._client.settings.api_version,
        )

    def _organization(self, fields: Sequence[str]) -> Mapping[str, object] | None:
        return next(iter(self._client.records(soql.select(fields, "Organization", limit=1))), None)

    def server_time(self) -> datetime:
        """The server's clock from its last reply; from a call to /limits if none told it."""
        if self._client.door.server_time is None:
            self._client.read("limits")
        told = self._client.door.server_time
        if told is None:
            raise TerminalError("The server's replies carry no Date header.", record="Salesforce")
        return told.astimezone(UTC)

    def object_name(self, table: str) -> str:
        """The sObject behind a canonical table; Task for activities and our tasks; of our own, by key."""
        if table in object_specs():
            return object_specs()[table].salesforce
        if table == "tasks":
            return "Task"
        return sources_of(MAPPED_KINDS.get(table, table), self._mappings.objects)[0].object

    def describe(self, object_name: str) -> ObjectSchema:
        """The object as our user sees it. Raises SetupError when it is not visible."""
        return self._schemas[object_name].schema

    def tables(self) -> Mapping[str, str]:
        """The usual tables, and those for which the settings name an object, with that object."""
        return self._mappings.delivered

    def pull(self, table: str, window: Window, *, also: Collection[str] = ()) -> Iterator[pa.Table]:
        """Pages of a canonical table, deleted rows flagged. Raises SetupError before the first page."""
        return self._reader.pull(table, window, also=also)

    def hidden(self, table: str) -> Mapping[str, str]:
        """Objects of a table of several that our user does not see, and why."""
        return self._reader.hidden.get(table, {})

    def moved(self, table: str, held: Held) -> Iterator[pa.Table]:
        """Rows whose mapped formula fields, or fields of parents, changed: ids and those columns."""
        return self._reader.moved(table, held)

    def mapped(self, table: str) -> Mapping[str, str]:
        """The company's own fields of the table, by column."""
        return self._mappings.told(table)

    def reread(self, table: str, columns: Collection[str], held: Held) -> Iterator[pa.Table]:
        """The rows held that differ in these mapped columns, read by themselves."""
        return self._reader.reread(table, columns, held)

    def read(self, object_name: str, ids: Sequence[str], fields: Sequence[str]) -> Mapping[str, Record]:
        """The records as they stand now, by the ids given."""
        return self._writer.read(object_name, ids, fields)

    def write(self, changes: Sequence[Change]) -> list[RowResult]:
        """A result for each change whose outcome is known; one API call of at most 1,000 of one object."""
        results = self._writer.update(changes)
        stop_at_drift(changes, results, self._schemas)
        return results

    def create_tasks(self, drafts: Sequence[TaskDraft]) -> list[RowResult]:
        """A result for each draft whose outcome is known; one API call of at most 1,000."""
        self._learn_task_key()
        return self._tasks.create(drafts)

    def find_tasks(
        self,
        keys: Iterable[str],
        *,
        sent_to: Mapping[str, str] | None = None,  # noqa: ARG002  # a query shows what was committed
    ) -> Mapping[str, TaskState]:
        """Our tasks that exist, by key."""
        self._learn_task_key()
        return self._tasks.find(keys)

    def close_tasks(self, tasks: Mapping[str, str]) -> list[RowResult]:
        """Close tasks (id -> note appended to the body)."""
        return self._tasks.close(tasks)

    def create_rows(self, table: str, drafts: Sequence[RowDraft]) -> list[RowResult]:
        """A result for each row of our own object whose outcome is known; at most 1,000."""
        return self._own_rows.create(object_specs()[table], drafts)

    def find_rows(self, table: str, keys: Iterable[str]) -> Mapping[str, str]:
        """The ids of rows of our own object, by key."""
        return self._own_rows.find(object_specs()[table], keys)

    def room_for_rows(self) -> Room | None:
        """What is left of the org's data storage, of which a row takes 2 KB."""
        return self._own_rows.room()

    def install(
        self,
        specs: Sequence[FieldSpec],
        objects: Sequence[ObjectSpec] = (),
        *,
        extras: Extras = NO_EXTRAS,
        apply: bool,
    ) -> InstallReport:
        """Create the objects and fields that are missing. A field that RevOps mapped to their own must be
        there."""
        ours = self._ours(specs)
        for spec in specs:
            name, home = self.field_name(spec), self.object_name(spec.object)
            if name not in {"", spec.salesforce} and not self._schemas[home].has(name):
                raise SetupError(
                    f"{home} has no field {name}, or does not show it to our user.",
                    record=f"[mapping.fields] {spec.key}",
                    fix="Correct the mapping, or take it out and let the install make our own field.",
                )
        report = self._installer.install(ours, objects, apply=apply)
        if not (extras.views or extras.reports):
            return report
        own = self._mappings.own_fields
        parts = parts_of(ours, objects, with_reports=extras.reports, own=own)
        return report.and_then(self._components.install(parts, apply=apply))

    def remove(
        self,
        specs: Sequence[FieldSpec],
        objects: Sequence[ObjectSpec] = (),
        *,
        made: Collection[str] = (),
        apply: bool,
    ) -> InstallReport:
        """Delete the objects, fields and permission sets that an install made; not RevOps' own in place of
        ours."""
        return self._remover.remove(self._ours(specs), objects, made=made, apply=apply)

    def _ours(self, specs: Sequence[FieldSpec]) -> list[FieldSpec]:
        """Those for which RevOps mapped no field of their own."""
        return [spec for spec in specs if self.field_name(spec) == spec.salesforce]

    def field_name(self, spec: FieldSpec) -> str:
        """Salesforce's name of one of our fields, or RevOps' own field where they mapped one."""
        if spec.object in object_specs():
            return spec.salesforce
        return self._mappings.own_fields.get(spec.key, spec.salesforce)

    def examine(self, specs: Sequence[FieldSpec]) -> Iterator[Remark]:  # noqa: ARG002  # describe tells of ours
        """A check-up of the org: version, scopes, objects and fields, rules and flows that may fire."""
        return examine(self._client, self._schemas, self._mappings)

    def usage(self) -> Usage:
        """API calls of this connection, and the org's in 24 hours."""
        return self._client.usage

    def close(self) -> None:
        """Give back the connections, and what was set aside."""
        self._reader.close()
        self._client.close()

    def _learn_task_key(self) -> None:
        """Whether this org refuses a second task with our key."""
        self.capabilities = replace(self.capabilities, unique_task_key=self._tasks.unique)
