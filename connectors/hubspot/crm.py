"""HubSpot as a `connectors.crm.Crm`: the one class that the rest of Upswell sees."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property
from zoneinfo import ZoneInfo

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
from connectors.errors import AbsentError, SetupError, TerminalError
from connectors.fields import FieldSpec, ObjectSpec, field_specs, object_specs
from connectors.hubspot.client import HubspotClient
from connectors.hubspot.currencies import Currencies
from connectors.hubspot.deals import Closings
from connectors.hubspot.derive import Derivation
from connectors.hubspot.examine import Examiner
from connectors.hubspot.history import Histories
from connectors.hubspot.install import Installer
from connectors.hubspot.links import Links
from connectors.hubspot.lists import Lists
from connectors.hubspot.moved import Moves
from connectors.hubspot.objects import READ_BATCH, SEARCH_PAGE, Objects
from connectors.hubspot.own_objects import OwnObjects
from connectors.hubspot.own_rows import OwnRows
from connectors.hubspot.owners import Owners
from connectors.hubspot.pipelines import Pipelines
from connectors.hubspot.prices import Prices
from connectors.hubspot.read import Reader
from connectors.hubspot.removal import Remover
from connectors.hubspot.roles import Roles
from connectors.hubspot.schema import Schemas
from connectors.hubspot.settings import HubspotSettings
from connectors.hubspot.tables import ABSENT, sources_of
from connectors.hubspot.tasks import Tasks
from connectors.hubspot.write import WRITE_BATCH, Writer
from connectors.installing import NO_EXTRAS, Extras, InstallReport
from connectors.mappings import Mappings
from connectors.own_rows import Room, RowDraft
from connectors.pace import Pace
from connectors.transport import HttpDoor, RequestSeen, RetryPolicy, Timeouts
from connectors.write_jobs import WriteJobs


class Hubspot:
    """One account over hubspot-api-client. Make it with `connect`.

    `capabilities.unique_task_key` is known once tasks were described: before, it is False, which is safe.
    """

    capabilities: Capabilities = Capabilities(
        write_batch=WRITE_BATCH,
        read_batch=READ_BATCH,
        page_size=SEARCH_PAGE,
        read_again=0.1,  # the reply shows what the record holds then
        partial_result=True,
        links_in_record=False,
        unique_task_key=False,
    )
    jobs: WriteJobs | None = None

    def __init__(self, client: HubspotClient, mappings: Mappings, *, write_batch: int = 0) -> None:
        self.capabilities = self.capabilities.within(
            write_batch=write_batch, longest_call=client.door.timeouts.longest
        )
        self._client = client
        self._mappings = mappings
        paths = client.paths
        self._schemas = Schemas(client.get, paths.properties_of)
        objects = Objects(client)
        links = Links(client)
        pipelines = Pipelines(client.get, paths.pipelines_of)
        self._writer = Writer(client, self._schemas, objects)
        self._tasks = Tasks(
            client=client,
            schemas=self._schemas,
            objects=objects,
            links=links,
            writer=self._writer,
            key_field=self.field_name(field_specs()["task_key"]),
            outcome_field=self.field_name(field_specs()["task_outcome"]),
            zone=self._zone,
        )
        self._own_rows = OwnRows(
            client=client, schemas=self._schemas, objects=objects, links=links, writer=self._writer
        )
        self._own = OwnObjects(client=client, portal=lambda: self._org.id)
        lists = Lists(client=client, zone=lambda: self._org.timezone)
        self._installer = Installer(client, self._schemas, self._own, lists)
        self._remover = Remover(client, self._schemas, self._own, lists)
        self._examiner = Examiner(
            client=client, schemas=self._schemas, mappings=mappings, pipelines=pipelines
        )
        closings = Closings(objects, self._schemas, links, pipelines)
        roles = Roles(objects, self._schemas, links)
        self._moves = Moves(self._schemas, mappings, links, roles=roles, now=self.server_time)
        self._reader = Reader(
            objects=objects,
            schemas=self._schemas,
            mappings=mappings,
            links=links,
            derivation=Derivation(
                currency=self._home,
                customer_types=client.login.customer_types,
                closings=closings,
                pipelines=pipelines,
            ),
            closings=closings,
            histories=Histories(objects, self._schemas, pipelines, mappings),
            roles=roles,
            apart={
                "owners": Owners(client).pages,
                "exchange_rates": Currencies(client, self._home).pages,
                "price_book_entries": Prices(objects, self._schemas, self._home).pages,
            },
            zone=self._zone,
        )

    @classmethod
    def connect(
        cls,
        settings: HubspotSettings,
        *,
        mapping: Mapping[str, Mapping[str, str]] | None = None,
        account_external_id: str = "",
        budget: Budget | None = None,
        pace: Pace | None = None,
        timeouts: Timeouts | None = None,
        retry: RetryPolicy | None = None,
        on_request: Callable[[RequestSeen], None] | None = None,
        write_batch: int = 0,
    ) -> Hubspot:
        """A connection with an access token. `mapping` is [mapping.*]: table -> canonical column -> property.

        `write_batch` is how many records a write call may hold, where less than HubSpot takes.

        Raises SettingError, LoginError for a refused refresh token, or TransientError when the account
        can't be reached; a static token is first checked by the first call.
        """
        door = HttpDoor(timeouts=timeouts, ca_file=settings.ca_file or None, on_request=on_request)
        policy = retry if retry is not None else RetryPolicy()
        client = HubspotClient(settings, door=door, retry=policy, budget=budget, pace=pace)
        return cls(client, Mappings.of(mapping or {}, account_external_id), write_batch=write_batch)

    def org(self) -> OrgInfo:
        """Which account this is."""
        return self._org

    def server_time(self) -> datetime:
        """The server's clock from its last reply; from a call to account-info if none told it."""
        if self._client.door.server_time is None:
            self._client.get(self._client.paths.details)
        told = self._client.door.server_time
        if told is None:
            raise TerminalError("The server's replies carry no Date header.", record="HubSpot")
        return told.astimezone(UTC)

    def object_name(self, table: str) -> str:
        """The object behind a table, meetings first of the activities; tasks; one of our own, by its key."""
        if table in object_specs():
            return self._own.name_of(object_specs()[table])
        if table in {"tasks", "owners"}:
            return table
        name = MAPPED_KINDS.get(table, table)
        sources = sources_of(name, self._mappings)
        if not sources:
            raise AbsentError(ABSENT.get(name, "That is no object of HubSpot."), record=table)
        return sources[0].object

    def describe(self, object_name: str) -> ObjectSchema:
        """The object's properties. Raises SetupError when our app may not see them."""
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
        """The rows whose associations changed."""
        return self._moves.pages(table, held)

    def mapped(self, table: str) -> Mapping[str, str]:
        """The company's own properties of the table, by column."""
        return self._mappings.told(table)

    def reread(self, table: str, columns: Collection[str], held: Held) -> Iterator[pa.Table]:
        """Nothing: a list costs as many calls for one property as for all of them."""
        raise NotImplementedError(f"{table} is read as a whole")

    def read(self, object_name: str, ids: Sequence[str], fields: Sequence[str]) -> Mapping[str, Record]:
        """The records as they stand now, by the ids given."""
        return self._writer.read(object_name, ids, fields)

    def write(self, changes: Sequence[Change]) -> list[RowResult]:
        """One result a change, in order; at most 100 records of one object."""
        return self._writer.update(changes)

    def create_tasks(self, drafts: Sequence[TaskDraft]) -> list[RowResult]:
        """One result a draft, in order; at most 100."""
        self._learn_task_key()
        return self._tasks.create(drafts)

    def find_tasks(
        self, keys: Iterable[str], *, sent_to: Mapping[str, str] | None = None
    ) -> Mapping[str, TaskState]:
        """Our tasks that exist, by key; those that may be too new for the index, by their company."""
        self._learn_task_key()
        self._tasks.remember(sent_to or {})
        return self._tasks.find(keys)

    def close_tasks(self, tasks: Mapping[str, str]) -> list[RowResult]:
        """Close tasks (id -> note appended to the body)."""
        return self._tasks.close(tasks)

    def create_rows(self, table: str, drafts: Sequence[RowDraft]) -> list[RowResult]:
        """One result a row of our own object, in order; at most 100."""
        return self._own_rows.create(object_specs()[table], self.object_name(table), drafts)

    def find_rows(self, table: str, keys: Iterable[str]) -> Mapping[str, str]:
        """The ids of rows of our own object, by key."""
        return self._own_rows.find(object_specs()[table], self.object_name(table), keys)

    def room_for_rows(self) -> Room | None:
        """How many more rows of custom objects the account's tier allows."""
        return self._own_rows.room()

    def install(
        self,
        specs: Sequence[FieldSpec],
        objects: Sequence[ObjectSpec] = (),
        *,
        extras: Extras = NO_EXTRAS,
        apply: bool,
    ) -> InstallReport:
        """Create the objects and properties that are missing. One that RevOps mapped to their own must be
        there."""
        ours = self._ours(specs)
        for spec in specs:
            name = self.field_name(spec)
            if name not in {"", spec.hubspot} and not self._schemas[self.object_name(spec.object)].has(name):
                raise SetupError(
                    f"{self.object_name(spec.object)} have no property {name}.",
                    record=f"[mapping.fields] {spec.key}",
                    fix="Correct the mapping, or take it out and let the install make our own property.",
                )
        return self._installer.install(ours, objects, extras=extras, apply=apply)

    def remove(
        self,
        specs: Sequence[FieldSpec],
        objects: Sequence[ObjectSpec] = (),
        *,
        made: Collection[str] = (),
        apply: bool,
    ) -> InstallReport:
        """Archive the objects, properties and groups that an install made; not RevOps' own in place of
        ours."""
        return self._remover.remove(self._ours(specs), objects, made=made, apply=apply)

    def _ours(self, specs: Sequence[FieldSpec]) -> list[FieldSpec]:
        """Those for which RevOps mapped no property of their own."""
        return [spec for spec in specs if self.field_name(spec) == spec.hubspot]

    def field_name(self, spec: FieldSpec) -> str:
        """HubSpot's name of one of our fields, or RevOps' own property where they mapped one."""
        if spec.object in object_specs():
            return spec.hubspot
        return self._mappings.own_fields.get(spec.key, spec.hubspot)

    def examine(self, specs: Sequence[FieldSpec]) -> Iterator[Remark]:
        """A check-up of the account: scopes, tier, objects and properties, pipelines."""
        return self._examiner.examine(self._ours(specs))

    def usage(self) -> Usage:
        """API calls and waits of this connection, and the account's calls today; OAuth apps are told none."""
        return self._client.usage

    def close(self) -> None:
        """Give back the connections."""
        self._reader.close()
        self._client.close()

    def _learn_task_key(self) -> None:
        """Whether this account refuses a second task with our key."""
        self.capabilities = replace(self.capabilities, unique_task_key=self._tasks.unique)

    @cached_property
    def _org(self) -> OrgInfo:
        told = self._client.get(self._client.paths.details)
        identifier = str(told["portalId"])
        return OrgInfo(
            id=identifier,
            name=str(told.get("portalName") or f"HubSpot account {identifier}"),
            kind="hubspot",
            url=self._client.login.base_url,
            currency=str(told.get("companyCurrency") or "USD"),
            timezone=str(told.get("timeZone") or "UTC"),
            api_version=self._client.login.api_version,
        )

    def _home(self) -> str:
        """The account's own currency."""
        return self._org.currency

    def _zone(self) -> ZoneInfo:
        """The account's time zone; UTC where it bears a name that this machine does not know."""
        try:
            return ZoneInfo(self._org.timezone)
        except (KeyError, ValueError):
            return ZoneInfo("UTC")
