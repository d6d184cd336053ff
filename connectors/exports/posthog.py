"""PostHog's batch exports to S3: Parquet or JSON lines (gzip) of the models events and persons.

Source: posthog.com/docs/cdp/batch-exports/s3. In Parquet `properties` is a text of JSON, in JSON lines an
object; both are read by path. Times are UTC. `created_at` of an event is when PostHog took it in
(`inserted_at` in files of some versions): what was captured late is known late. The account is the event's
first group type (`properties.$group_0`); `account_key = "properties.$group_1"` or
"properties.$groups.company" names another. An event with `$is_identified` false is nobody who was logged in.
The user is `distinct_id`, which is the company's own id once identify was called. persons has one row per
distinct_id and no group: name the property of the person that holds the account.

`uuid` is unique an event: ClickHouse replaces rows by it, and an interval that was exported again repeats it.
"""

from __future__ import annotations

from typing import Final

from connectors.exports.layout import Format, Layout, one_of

POSTHOG: Final = Format(
    name="posthog",
    title="PostHog's batch export",
    kinds={
        "events": (
            Layout(
                columns={
                    "account_key": ("properties.$group_0",),
                    "user_id": ("distinct_id",),
                    "event": ("event",),
                    "at": ("timestamp",),
                    "session_id": ("properties.$session_id",),
                    "known_from": ("inserted_at", "_inserted_at", "created_at"),
                },
                utc=("at", "known_from"),
                nobody=("properties.$is_identified", "^false$"),
                delivery=(("uuid",),),
            ),
        ),
        "users": (
            Layout(
                columns={
                    "user_id": ("distinct_id",),
                    "email": ("properties.email",),
                    "name": ("properties.name",),
                    "title": ("properties.title",),
                    "department": ("properties.department",),
                    "role": ("properties.role",),
                    "created_at": ("created_at",),
                },
                utc=("created_at",),
                account_fix='account_key = "properties.company_id" (the property of the person)',
            ),
        ),
    },
    signature={
        "events": (
            one_of("uuid"),
            one_of("event"),
            one_of("distinct_id"),
            one_of("timestamp"),
            one_of("properties"),
        ),
        "users": (
            one_of("person_id"),
            one_of("distinct_id"),
            one_of("properties"),
            one_of("person_version", "person_distinct_id_version", "is_deleted", "created_at"),
        ),
    },
)
