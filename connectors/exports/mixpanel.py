"""Mixpanel's raw event export and profile export: JSON lines.

Source: docs.mixpanel.com/reference/raw-event-export. `properties.time` counts seconds since 1970
(milliseconds with time_in_ms), but in the project's time zone for projects from before 2023, which is why
`timezone` is that of the project; newer ones are UTC. `mp_processing_time_ms` is true UTC: when Mixpanel had
the event, which also settles an hour that the project's clock showed twice (the later of both moments that
was not after it). The account is the property behind the project's group key and must be named. A distinct_id
of `$device:…` is nobody who was logged in (simplified id merge); `$user_id` is the user where both are there.

The raw export is not deduplicated. Mixpanel's own rule (reference/event-deduplication): the same event name,
distinct_id, time and $insert_id are one event.
"""

from __future__ import annotations

from typing import Final

from connectors.exports.layout import Format, Layout, one_of

MIXPANEL: Final = Format(
    name="mixpanel",
    title="Mixpanel's raw export",
    kinds={
        "events": (
            Layout(
                columns={
                    "user_id": ("properties.$user_id", "properties.distinct_id"),
                    "event": ("event",),
                    "at": ("properties.time",),
                    "known_from": ("properties.mp_processing_time_ms",),
                },
                utc=("known_from",),
                epochs=("at", "known_from"),
                wall={"at": "properties.mp_processing_time_ms"},
                lists=True,
                nobody=("properties.distinct_id", r"^\$device:"),
                delivery=(
                    ("properties.$insert_id",),
                    ("event",),
                    ("properties.distinct_id",),
                    ("properties.time",),
                ),
                account_fix='account_key = "properties.company_id" (the property behind your group key)',
            ),
        ),
        "users": (
            Layout(
                columns={
                    "user_id": ("$distinct_id",),
                    "email": ("$properties.$email",),
                    "name": ("$properties.$name",),
                    "created_at": ("$properties.$created",),
                    "title": ("$properties.title",),
                    "department": ("$properties.department",),
                },
                lists=True,
                account_fix='account_key = "$properties.company_id" (the property behind your group key)',
            ),
        ),
    },
    signature={
        "events": (one_of("event"), one_of("properties.distinct_id"), one_of("properties.time")),
        "users": (one_of("$distinct_id"), one_of("$properties")),
    },
)
