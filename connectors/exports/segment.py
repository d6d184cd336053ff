"""Segment's calls as its S3 destination keeps them: gzipped JSON lines of track, page, screen, identify and
group.

Source: segment.com/docs/connections/spec (common, track, identify, group) and storage/catalog/aws-s3: one
file mixes all types of call, so both kinds read the same files and each takes its own. `timestamp` is when it
happened by Segment's correction of the client's clock, `receivedAt` when Segment had it; both are ISO 8601 in
UTC. The account of a call is `context.groupId`, which the spec has for it; a group call names it itself. A
call without `userId` (only an anonymousId) is nobody who was logged in.

`messageId` is unique a call; Segment drops a second one within about 24 hours (guides/duplicate-data), and so
does a reading here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import pyarrow as pa

from connectors.canonical import EXPORT_TABLES
from connectors.exports.layout import Format, Layout, one_of

_TRAITS: Final = {
    "email": "email",
    "name": "name",
    "title": "title",
    "department": "department",
    "role": "role",
    "created_at": "createdAt",
}


def one_row_a_membership(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """A row for each user in each of their groups, with what the file's calls say of the user last.

    An identify call tells who somebody is, a group call where they belong: only together are they a user of
    an account. A user of no group belongs to no account."""
    schema = EXPORT_TABLES["users"]
    said: dict[str, dict[str, Any]] = {}
    groups: dict[str, dict[str, None]] = {}
    for batch in batches:
        for row in batch.to_pylist():
            user, group = row["user_id"], row.pop("account_key")
            said.setdefault(user, {}).update(
                {name: value for name, value in row.items() if value is not None}
            )
            if group is not None:
                groups.setdefault(user, {})[group] = None
    rows = [{"account_key": group} | row for user, row in said.items() for group in groups.get(user, [None])]
    if rows:
        yield from pa.Table.from_pylist(rows, schema=schema).to_batches()


SEGMENT: Final = Format(
    name="segment",
    title="Segment's calls",
    kinds={
        "events": (
            Layout(
                columns={
                    "account_key": ("context.groupId", "groupId"),
                    "user_id": ("userId",),
                    "event": ("event", "name", "type"),
                    "at": ("timestamp", "originalTimestamp"),
                    "known_from": ("receivedAt",),
                },
                only=("type", ("track", "page", "screen")),
                utc=("at", "known_from"),
                delivery=(("messageId",),),
            ),
        ),
        "users": (
            Layout(
                columns={"account_key": ("context.groupId",), "user_id": ("userId",)}
                | {name: (f"traits.{trait}", f"context.traits.{trait}") for name, trait in _TRAITS.items()},
                only=("type", ("identify",)),
                named="userId",
                utc=("created_at",),
                delivery=(("messageId",),),
            ),
            Layout(
                # the traits of a group call are the group's; those of the user may stand in its context
                columns={"account_key": ("groupId",), "user_id": ("userId",)}
                | {name: (f"context.traits.{trait}",) for name, trait in _TRAITS.items()},
                only=("type", ("group",)),
                named="userId",
                utc=("created_at",),
                delivery=(("messageId",),),
            ),
        ),
    },
    signature={
        kind: (
            one_of("type"),
            one_of("messageId"),
            one_of("userId", "anonymousId"),
            one_of("timestamp", "originalTimestamp", "receivedAt"),
        )
        for kind in ("events", "users")
    },
    finish={"users": one_row_a_membership},
)
