"""No value that comes from outside reaches a query or an address as anything but a value.

Two hundred hostile texts go in by every door that takes one: ids, keys, names of objects and fields,
mappings, values, settings. What leaves for the CRM is looked at as it was sent.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest

from connectors.crm import Change, Crm, RowOutcome, TaskDraft
from connectors.errors import SettingError, SetupError, UpswellError
from connectors.fields import field_specs
from connectors.transport import check_url
from infra.contract.org import Org, rows_of

CORES = (
    "' OR Name != '",
    "\\' OR '1'='1",
    "') OR (Id != '",
    "\\",
    "\\\\'",
    "'",
    "''",
    '"',
    '" OR ""="',
    "\u2019 OR \u2018",
    "\u02bc or \uff07",
    "x'; DELETE FROM Account; --",
    "x' LIMIT 0",
    "x' UNION SELECT Id FROM User",
    "*",
    "%",
    "_",
    "%27",
    "%2527",
    "%00",
    "%0d%0aX-Evil: 1",
    "\r\nX-Evil: 1\r\n\r\n",
    "\n",
    "\x00",
    "a\x00b",
    "\x1b[2J",
    "\u2028",
    "\u202egnihtemos",
    "../../sobjects/User",
    "..%2f..%2fUser",
    "/services/data/v68.0/limits",
    "/../../oauth/v1/token",
    "..",
    "?q=SELECT+Id+FROM+User",
    "#fragment",
    "&archived=true",
    ";jsessionid=1",
    "@{refId.id}",
    "{0}{name!r}{:literal}",
    "${jndi:ldap://127.0.0.1/a}",
    '"}],"filterGroups":[]}//',
    '{"$ne": null}',
    "null",
    "true",
    "[]",
    "0x41",
    "1e308",
    "９９９",
    "٣٤٥",
    "\ud83d",
    "漢字 🚀 é e\u0301",
    "x" * 5_000,
)
ID = "001Hs00000000001"
FORMS = ("{}", "a{}", "{}z", ID + "{}")
HOSTILE = tuple(dict.fromkeys(form.replace("{}", core) for core in CORES for form in FORMS))
PLAIN_PATH = re.compile(r"/[A-Za-z0-9._/-]*")
SOQL_TEXT = re.compile(r"'(?:[^'\\]|\\.)*'", re.DOTALL)
SOQL_REST = re.compile(r"[A-Za-z0-9_., ()<>=!:\-+]*")
ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}


class Wire:
    """What left for the CRM, as it was sent."""

    def __init__(self, org: Org, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sent: list[tuple[str, bytes]] = []
        answer = org.sandbox.answer

        def heard(method: str, target: str, headers: dict[str, str], body: bytes) -> Any:
            assert "x-evil" not in headers
            self.sent.append((target, body))
            return answer(method, target, headers, body)

        monkeypatch.setattr(org.sandbox, "answer", heard)

    def check(self) -> None:
        """Every address is plain, every query's texts are quoted, every body is JSON or a form."""
        for target, body in self.sent:
            parts = urlsplit(target)
            assert target.isascii(), target[:200]
            assert PLAIN_PATH.fullmatch(parts.path), parts.path[:200]
            assert ".." not in parts.path
            assert parts.fragment == ""
            for name, value in parse_qsl(parts.query, keep_blank_values=True):
                assert re.fullmatch(r"[A-Za-z]+", name), name
                if name == "q":
                    assert SOQL_REST.fullmatch(SOQL_TEXT.sub("", value)), value[:300]
                else:
                    assert re.fullmatch(r"[A-Za-z0-9_.,:-]*", value), (name, value[:200])
            if body[:1] == b"{":
                _plain_addresses(json.loads(body))
        self.sent.clear()

    def quoted(self) -> set[str]:
        """The texts inside the queries that were sent, as the CRM reads them."""
        found = set()
        for target, _ in self.sent:
            for name, value in parse_qsl(urlsplit(target).query):
                if name == "q":
                    found |= {_unescaped(each[1:-1]) for each in SOQL_TEXT.findall(value)}
        return found


@pytest.fixture
def wire(org: Org, monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    """What the test sends; it is looked at again in the end."""
    listening = Wire(org, monkeypatch)
    yield listening
    listening.check()


def test_there_are_two_hundred_of_them() -> None:
    """All different."""
    assert len(HOSTILE) >= 200


def test_hostile_ids_are_of_no_record(org: Org, crm: Crm, wire: Wire) -> None:
    """Read: not there. Written: not applied. Closed: gone. The good record among them is served."""
    good = org.create("accounts", name="A")
    accounts, score = crm.object_name("accounts"), org.ours("score")
    assert crm.read(accounts, [*HOSTILE, good], [score]).keys() == {good}
    size = min(crm.capabilities.write_batch, 100) - 1
    for start in range(0, len(HOSTILE), size):
        ids = [*HOSTILE[start : start + size], good]
        results = crm.write([Change(key=each, object=accounts, id=each, values={score: 5}) for each in ids])
        assert [each.key for each in results] == ids
        assert {each.outcome for each in results[:-1]} <= {RowOutcome.REFUSED, RowOutcome.GONE}
        assert results[-1].outcome is RowOutcome.APPLIED
    for start in range(
        0, len(HOSTILE), 25
    ):  # with a condition, where the platform takes one: ids in addresses
        ids = list(HOSTILE[start : start + 25])
        results = crm.write(
            [
                Change(key=each, object=accounts, id=each, values={score: 6}, unmodified_since=org.now)
                for each in ids
            ]
        )
        assert {each.outcome for each in results} <= {RowOutcome.REFUSED, RowOutcome.GONE}
    assert {each.outcome for each in crm.close_tasks(dict.fromkeys(HOSTILE, "x"))} == {RowOutcome.GONE}
    assert {each.id for each in org.our_changes()} == {good}


def test_hostile_keys_are_found_as_what_they_are(org: Org, crm: Crm, wire: Wire) -> None:
    """A key that a task can bear finds that task and no other; any other finds nothing."""
    account = org.create("accounts", name="A")
    size = min(crm.capabilities.write_batch, 100)
    made = set()
    drafts = [_draft(account, key) for key in HOSTILE]
    for start in range(0, len(drafts), size):
        results = crm.create_tasks(drafts[start : start + size])
        made |= {each.key for each in results if each.outcome is RowOutcome.APPLIED}
    found = crm.find_tasks(HOSTILE)
    assert {key for key in found if key not in made} == set()
    assert {key for key in made if key not in found and key == key.strip()} == set()
    assert len({state.id for state in found.values()}) == len(found)
    assert wire.quoted() <= {*HOSTILE, "Account", "Task"}


def test_hostile_accounts_and_owners_of_tasks_are_refused(org: Org, crm: Crm, wire: Wire) -> None:
    """And no task is made."""
    size = min(crm.capabilities.write_batch, 100)
    account = org.create("accounts", name="A")
    drafts = [_draft(each, f"a:{number}") for number, each in enumerate(HOSTILE)]
    drafts += [_draft(account, f"o:{number}", owner_id=each) for number, each in enumerate(HOSTILE)]
    for start in range(0, len(drafts), size):
        results = crm.create_tasks(drafts[start : start + size])
        assert {each.outcome for each in results} == {RowOutcome.REFUSED}
    assert org.our_changes() == []


def test_hostile_names_are_no_objects_and_no_fields(org: Org, crm: Crm, wire: Wire) -> None:
    """SetupError, or a refused row; nothing is asked that bears the name."""
    record = org.create("accounts", name="A")
    accounts = crm.object_name("accounts")
    crm.describe(accounts)
    wire.sent.clear()
    for name in HOSTILE:
        with pytest.raises(SetupError):
            crm.describe(name)
        with pytest.raises(SetupError):
            crm.read(name, [record], [])
        with pytest.raises(SetupError):
            crm.read(accounts, [record], [name])
        with pytest.raises(SetupError):
            crm.write([Change(key="k", object=name, id=record, values={})])
        change = Change(key="k", object=accounts, id=record, values={name: "x"})
        assert crm.write([change])[0].outcome is RowOutcome.REFUSED
    odd = [name for name in HOSTILE if re.fullmatch(r"[A-Za-z0-9_]*", name) is None]
    asked = [unquote(target) for target, _ in wire.sent]
    assert [name for name in odd if len(name) > 3 and any(name in target for target in asked)] == []
    assert org.our_changes() == []


def test_hostile_mappings_are_refused_before_anything_is_read(org: Org, wire: Wire) -> None:
    """As a column's field, by way of a relation, as the company's own id, and as one of our fields."""
    record = org.create("accounts", name="A")
    ways = ("{}", "Owner.{}", "{}.Name", "associations.{}", "associations.contacts:{}")
    for number, core in enumerate(CORES):
        path = ways[number % len(ways)].replace("{}", core)
        crm = org.connect(
            **({"mapping": {"accounts": {"segment": path}}} if number % 2 else {"account_external_id": path})
        )
        with pytest.raises(SetupError):
            rows_of(crm, "accounts")
        usage = org.connect(mapping={"usage": {"object": core, "account_crm_id": "Id"}})
        with pytest.raises(SetupError):
            rows_of(usage, "crm_usage")
    ours = org.connect(mapping={"fields": {"score": CORES[0]}})
    with pytest.raises(SetupError):
        ours.read(ours.object_name("accounts"), [record], [ours.field_name(field_specs()["score"])])
    with pytest.raises(SetupError):
        ours.install([field_specs()["score"]], apply=True)
    assert org.requests("pull") == []


def test_hostile_values_of_cells_arrive_as_they_are_or_not_at_all(org: Org, crm: Crm, wire: Wire) -> None:
    """In a text field, to the letter but for blanks around it."""
    ids = org.many("accounts", len(HOSTILE), at=org.now)
    accounts, reason = crm.object_name("accounts"), org.ours("reason_1")
    size = min(crm.capabilities.write_batch, 100)
    changes = [
        Change(key=record, object=accounts, id=record, values={reason: text})
        for record, text in zip(ids, HOSTILE, strict=True)
    ]
    applied = {}
    for start in range(0, len(changes), size):
        part = changes[start : start + size]
        for change, result in zip(part, crm.write(part), strict=True):
            assert result.outcome in {RowOutcome.APPLIED, RowOutcome.REFUSED}
            if result.outcome is RowOutcome.APPLIED:
                applied[change.id] = str(change.values[reason]).strip()
    held = crm.read(accounts, list(applied), [reason])
    assert {i: str(record.values[reason] or "").strip() for i, record in held.items()} == applied
    assert len(applied) > len(HOSTILE) / 2


def test_hostile_settings_are_refused_or_lead_nowhere(org: Org, wire: Wire) -> None:
    """Whatever text stands in a setting, it ends in one of our errors or in this org, no request bent."""
    told = org.log_in()
    for text in CORES:
        for name in org.text_settings:
            value = f"{org.sandbox.url}{text}" if name.endswith("url") else text
            with suppress(UpswellError):
                assert org.log_in(**{name: value}).id == told.id
        if re.fullmatch(r"[A-Za-z0-9_]+", text) is None:
            with pytest.raises(SettingError):
                check_url(f"https://{text}", setting="url")


def _draft(account: str, key: str, **changes: Any) -> TaskDraft:
    values: dict[str, Any] = {"subject": "S", "body": "", "due": date(2026, 11, 20), "owner_id": None}
    values |= {"contact_crm_id": None, "account_crm_id": account}
    return TaskDraft(key=key, **{**values, **changes})


def _plain_addresses(value: Any) -> None:
    """The addresses of a composite call's parts are plain too."""
    if isinstance(value, dict):
        if isinstance(value.get("url"), str) and "referenceId" in value:
            assert PLAIN_PATH.fullmatch(value["url"]), value["url"][:200]
            assert ".." not in value["url"]
        for each in value.values():
            _plain_addresses(each)
    elif isinstance(value, list):
        for each in value:
            _plain_addresses(each)


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", lambda found: ESCAPES.get(found[1], found[1]), text, flags=re.DOTALL)
