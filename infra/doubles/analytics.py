"""Rows as analytics tools export them, with the fields that their documentation lists."""

from __future__ import annotations

from typing import Any

CLOCK = 1793610000  # 2026-11-02 09:00 UTC, in seconds since 1970


def amplitude_event(number: int, **more: Any) -> dict[str, Any]:
    """One event with the fields that the Export API documents."""
    return {
        "server_received_time": f"2026-11-02 09:{number:02}:00.900000",
        "app": 123456,
        "device_carrier": None,
        "city": "Kraków",
        "user_id": f"user-{number:03}",
        "uuid": f"a6ec45f6-0016-4907-b433-5bf4e4a5{number:04}",
        "event_time": f"2026-11-02 09:{number:02}:00.123000",
        "platform": "Web",
        "amplitude_id": 900719925474099 + number,
        "processed_time": f"2026-11-02 09:{number:02}:02.000000",
        "user_properties": {"department": "Finance"},
        "group_properties": {},
        "client_upload_time": f"2026-11-02 09:{number:02}:00.500000",
        "$insert_id": f"ins-{number}",
        "event_type": "Report Exported",
        "server_upload_time": f"2026-11-02 09:{number:02}:01.000000",
        "session_id": 1793610000000 + number,
        "groups": {"company": ["Acme, Inc."]},
        "event_properties": {"format": "pdf", "feature": "reports"},
        "device_id": f"d{number}",
        **more,
    }


def mixpanel_event(number: int, **properties: Any) -> dict[str, Any]:
    """One event of the raw export."""
    return {
        "event": "Signed Up",
        "properties": {
            "time": CLOCK + number,
            "distinct_id": f"u{number}",
            "$insert_id": f"hpuDqcvpltpCjBsebtxw{number}",
            "mp_processing_time_ms": (CLOCK + number) * 1000 + 5_400_000,
            "$city": "São Paulo",
            "company_id": "0042",
            **properties,
        },
    }


def segment_call(kind: str, number: int, **more: Any) -> dict[str, Any]:
    """One call with the common fields of the spec."""
    return {
        "anonymousId": f"507f191e810c19729de8{number:04}",
        "channel": "browser",
        "context": {"ip": "203.0.113.9", "groupId": "0042", "library": {"name": "analytics.js"}},
        "integrations": {"All": True},
        "messageId": f"ajs-{kind}-{number}",
        "originalTimestamp": "2026-11-02T09:00:00.200Z",
        "projectId": "proj",
        "receivedAt": "2026-11-02T09:00:05.000Z",
        "sentAt": "2026-11-02T09:00:01.000Z",
        "timestamp": "2026-11-02T09:00:00.123Z",
        "type": kind,
        "userId": f"u{number}",
        "version": 2,
        **more,
    }


def posthog_event(number: int, **properties: Any) -> dict[str, Any]:
    """One event of the model that S3 batch exports have by default."""
    return {
        "uuid": f"0192f000-0000-7000-8000-{number:012}",
        "event": "$pageview",
        "distinct_id": f"u{number}",
        "person_id": "018e0000-0000-7000-8000-000000000001",
        "properties": {
            "$group_0": "acme",
            "$groups": {"company": "acme", "project": "p1"},
            "$session_id": f"s{number}",
            "$is_identified": True,
            **properties,
        },
        "person_properties": {"email": "a@acme.test"},
        "timestamp": "2026-11-02T09:00:00.123456+00:00",
        "created_at": "2026-11-02T09:05:00+00:00",
        "elements_chain": "",
    }


def pendo_row(**more: Any) -> dict[str, Any]:
    """One row of featureEvents."""
    return {
        "accountId": "0042",
        "visitorId": "anna",
        "featureId": "kdpiwkuNRD",
        "appId": -323232,
        "hour": CLOCK * 1000,
        "numEvents": 3,
        "numMinutes": 2,
        "remoteIp": "203.0.113.9",
        "server": "app.acme.test",
        **more,
    }
