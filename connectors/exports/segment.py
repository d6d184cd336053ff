"""Segment's calls as its S3 destination keeps them: gzipped JSON lines of track, page, screen, identify and
group.

Source: segment.com/docs/connections/spec (common, track, identify, group) and storage/catalog/aws-s3: one
file mixes all types of call, so both kinds read the same files and each takes its own. `timestamp` is when it
happened by Segment's correction of the client's clock, `receivedAt` when Segment had it; both are ISO 8601 in
UTC. The account of a call is `context.groupId`, which the spec has for it; a group call names it itself. A
call without `userId` (only an anonymousId) is nobody who was logged in.

`messageId` is unique a call; Segment drops a second one within 24 hours, and so does a reading here.
"""

from __future__ import annotations

from typing import Final

from connectors.exports.layout import Format, Layout, one_of

SEGMENT: Final = Format(
    name="segment",
    title="Segment's calls",
    kinds={
        "events": Layout(
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
        "users": Layout(
            columns={
                "account_key": ("groupId", "context.groupId", "traits.company.id"),
                "user_id": ("userId",),
                "email": ("traits.email", "context.traits.email"),
                "name": ("traits.name", "context.traits.name"),
                "title": ("traits.title", "context.traits.title"),
                "department": ("traits.department", "context.traits.department"),
                "role": ("traits.role", "context.traits.role"),
                "created_at": ("traits.createdAt", "context.traits.createdAt"),
            },
            only=("type", ("identify",)),
            utc=("created_at",),
            delivery=(("messageId",),),
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
)
