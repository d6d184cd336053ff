"""The contacts of every account with what is known of their activity, and whom to reach among them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import ibis
import pyarrow as pa

from model.days import day_number
from model.shapes import WHOM
from model.stakeholders import Contact, rank_contacts, who_is_missing
from sync.briefs.evidence import Tables, day_of, select
from sync.names import plain_name

_USE_DAYS = 30


def read_contacts(tables: Tables, as_of: date) -> dict[str, list[Contact]]:
    """Contacts by account_id, as known on a day; missing tables leave their part empty."""
    last: dict[str, date] = {}
    for row in select(tables, "activities", ("account_id", "contact_crm_id", "kind", "occurred_at")):
        day, contact = day_of(row["occurred_at"]), row["contact_crm_id"]
        if contact is None or day is None or day > as_of or row["kind"] == "task":
            continue
        last[contact] = max(day, last.get(contact, day))
    use = _active_days(tables, as_of)
    columns = ("account_id", "crm_id", "name", "title", "role", "department", "left_at", "created_at")
    contacts: dict[str, list[Contact]] = {}
    for row in select(tables, "contacts", columns):
        created = day_of(row["created_at"])
        if created is not None and created > as_of:
            continue
        contact_id = row["crm_id"]
        contacts.setdefault(row["account_id"], []).append(
            Contact(
                crm_id=contact_id,
                name=plain_name(row["name"]),
                title=plain_name(row["title"]) or None,
                role=plain_name(row["role"]) or None,
                department=plain_name(row["department"]) or None,
                left_at=row["left_at"],
                last_contact=last.get(contact_id),
                active_days=use.get(contact_id),
            )
        )
    return contacts


def with_whom(tables: Tables, scores: pa.Table, as_of: date) -> pa.Table:
    """The scores with `whom` beside them: whom to reach, by contact id and reason, and who is missing.

    Names stay in the CRM and in the lake; null where no contact is known."""
    contacts = read_contacts(tables, as_of)
    told = [_whom(contacts.get(account_id, ()), as_of) for account_id in scores["account_id"].to_pylist()]
    return scores.append_column("whom", pa.array(told, WHOM))


def _whom(contacts: Sequence[Contact], as_of: date) -> dict[str, object] | None:
    if not contacts:
        return None
    return {
        "reach": [
            {"contact": reach.contact.crm_id, "reason": reach.reason}
            for reach in rank_contacts(contacts, as_of)
        ],
        "missing": list(who_is_missing(contacts, as_of)),
    }


def _active_days(tables: Tables, as_of: date) -> Mapping[str, int]:
    """On how many of the last 30 days each contact used the product: the user of the same account and e-mail.

    Contacts without such a user are left out: nobody knows of them."""
    people, users, days = (tables.get(name) for name in ("contacts", "users", "user_day"))
    if people is None or users is None or days is None:
        return {}
    if not {"email", "crm_id"} <= set(people.columns) or "email" not in users.columns:
        return {}
    named = people.select("account_id", "crm_id", email=people.email.lower())
    named = named.filter(named.email.notnull())
    known = users.select("account_id", "user_id", email=users.email.lower())
    pairs = named.join(known, ["account_id", "email"]).select("account_id", "crm_id", "user_id")
    end = day_number(as_of)
    recent = days.filter(days["at"].between(end - _USE_DAYS, end - 1), days.known < end)
    recent = recent.select("account_id", "user_id", "at")
    seen = pairs.left_join(recent, ["account_id", "user_id"]).select("crm_id", "at")
    counted = seen.group_by("crm_id").agg(days=ibis._["at"].nunique())
    return {row["crm_id"]: row["days"] for row in counted.to_pyarrow().to_pylist()}
