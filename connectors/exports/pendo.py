"""Pendo's aggregated events and visitors: JSON lines or CSV with the fields of its aggregation API.

Source: the sources featureEvents, pageEvents and trackEvents of the aggregation API (engageapi.pendo.io) and
the tables that Pendo delivers to warehouses. A row is one visitor of one account with one feature, page or
track event in an hour or a day, with `numEvents`: so it is read as that many events at the beginning of that
hour or day, which keeps days, users, features and counts exact; sessions and minutes within it are unknown.
`hour` and `day` are milliseconds since 1970; a date without a zone is taken in `timezone`. It is known when
its hour or day is over. `_PENDO_VISITOR_…` is Pendo's name for nobody who was logged in.

The rows have no id: one that stands in two files counts twice.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from connectors.exports.layout import Format, Layout, one_of

_THING: Final = ("featureId", "feature_id", "pageId", "page_id", "trackTypeId", "track_type_id")

PENDO: Final = Format(
    name="pendo",
    title="Pendo's aggregated events",
    kinds={
        "events": (
            Layout(
                columns={
                    "account_key": ("accountId", "account_id"),
                    "user_id": ("visitorId", "visitor_id"),
                    "event": _THING,
                    "feature": _THING,
                    "at": ("hour", "day"),
                },
                epochs=("at",),
                nobody=("visitorId", "^_PENDO_"),
                repeat="numEvents",
                # the day on which clocks are set back has 25 hours
                lasts={"hour": timedelta(hours=1), "day": timedelta(hours=25)},
            ),
        ),
        "users": (
            Layout(
                columns={
                    "account_key": ("accountId", "metadata.auto.accountid", "metadata.auto.accountId"),
                    "user_id": ("visitorId",),
                    "email": ("metadata.agent.email",),
                    "name": ("metadata.agent.full_name", "metadata.agent.name"),
                    "title": ("metadata.agent.title",),
                    "department": ("metadata.agent.department",),
                    "role": ("metadata.agent.role",),
                    "created_at": ("metadata.auto.firstvisit",),
                },
                epochs=("created_at",),
            ),
        ),
    },
    signature={
        "events": (one_of("visitorId"), one_of("accountId"), one_of("numEvents"), one_of("hour", "day")),
        "users": (
            one_of("visitorId"),
            one_of("metadata.auto.firstvisit", "metadata.auto.lastvisit", "metadata"),
        ),
    },
)
