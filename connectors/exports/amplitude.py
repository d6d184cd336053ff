"""Amplitude's Export API: JSON lines of events, gzipped, one file an hour, all of them in a zip.

Source: amplitude.com/docs/apis/analytics/export. Times are UTC and name no zone ("2026-11-02
09:00:00.123000"). `event_time` is when it happened by the server's clock; `server_upload_time` is when
Amplitude had it, so a phone that was offline for a week does not change what could be known. Accounts are
groups, an object of lists ({"company": ["Acme"]}), whose name each company chooses: with one type of group
its value is the account, with several `account_key = "groups.company"` says which. An event of several groups
counts for each, as it does there.

Amplitude itself drops an event whose insert_id it has seen from that device within seven days
(get-started/track-your-progress); an export of hours that overlap may hold one twice, so the same rule holds
here.
"""

from __future__ import annotations

from typing import Final

from connectors.exports.layout import Format, Layout, one_of

AMPLITUDE: Final = Format(
    name="amplitude",
    title="Amplitude's Export API",
    kinds={
        "events": (
            Layout(
                columns={
                    "account_key": ("groups",),
                    "user_id": ("user_id",),
                    "event": ("event_type",),
                    "at": ("event_time",),
                    "session_id": ("session_id",),
                    "known_from": ("server_upload_time", "server_received_time"),
                },
                utc=("at", "known_from"),
                nulls={"session_id": "-1"},  # an event outside any session, such as one sent by a server
                delivery=(("$insert_id", "uuid"), ("device_id",)),
                lists=True,
                account_fix='account_key = "groups.company" (the name of your group type)',
            ),
        ),
    },
    signature={
        "events": (
            one_of("event_type"),
            one_of("event_time"),
            one_of("amplitude_id", "$insert_id", "server_upload_time", "client_event_time"),
        )
    },
)
