"""One call on its way through the dialect: who asks, in which version, and what the org can do for it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from connectors.sandbox.audit import Audit
from connectors.sandbox.clock import Clock
from connectors.sandbox.salesforce.bulk_query import BulkQueries
from connectors.sandbox.salesforce.errors import RefusalError
from connectors.sandbox.salesforce.limits import Quota
from connectors.sandbox.salesforce.query import Queries
from connectors.sandbox.salesforce.rows import Actor, Writer
from connectors.sandbox.salesforce.schema import Schema
from connectors.sandbox.salesforce.view import View
from connectors.sandbox.store import Store
from connectors.sandbox.wire import Request, Response


@dataclass(frozen=True, slots=True, kw_only=True)
class Org:
    """The parts of a running org."""

    store: Store
    schema: Schema
    audit: Audit
    clock: Clock
    queries: Queries
    bulk: BulkQueries
    quota: Quota


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One REST call by a logged-in user; `dispatch` answers a subrequest as the same user."""

    request: Request
    org: Org
    view: View
    version: str
    parts: Mapping[str, str]
    dispatch: Callable[[Request], Response]

    @property
    def base(self) -> str:
        """The address of the API in the call's version."""
        return f"/services/data/v{self.version}"

    def writer(self) -> Writer:
        """A writer that acts for this call's user, now."""
        actor = Actor(
            user_id=self.view.user_id,
            now=self.org.clock.stamp(),
            request=self.request.number,
            locked=self.request.locked,
        )
        return Writer(
            store=self.org.store, schema=self.org.schema, view=self.view, audit=self.org.audit, actor=actor
        )

    def json(self) -> dict[str, object]:
        """The body as a JSON object. Raises RefusalError JSON_PARSER_ERROR."""
        try:
            value = json.loads(self.request.body, parse_constant=_no_constant)
        except ValueError as error:
            # NaN and Infinity are not JSON, though Python's json writes them
            raise RefusalError(400, "JSON_PARSER_ERROR", f"Unexpected character: {error}") from None
        if not isinstance(value, dict):
            raise RefusalError(400, "JSON_PARSER_ERROR", "The HTTP entity body must be a JSON object.")
        return value


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not a JSON number")
