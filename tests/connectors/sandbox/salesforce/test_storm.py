"""Faults of a write as a client of the Salesforce org meets them, and what the audit tells of them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import requests

from connectors.sandbox.faults import FaultRule
from connectors.sandbox.server import Sandbox
from connectors.sandbox.storm import storm

Http = Callable[..., requests.Response]
ACCOUNT = {"type": "Account"}


@pytest.fixture
def key(http: Http) -> str:
    """An account without a phone."""
    return str(http("POST", "/sobjects/Account", json={"Name": "Acme"}).json()["id"])


@pytest.fixture
def write(http: Http, key: str) -> Callable[[str], requests.Response]:
    """Give the account a phone."""

    def send(phone: str) -> requests.Response:
        records = [{"attributes": ACCOUNT, "id": key, "Phone": phone}]
        return http("PATCH", "/composite/sobjects", json={"allOrNone": False, "records": records})

    return send


def rules(kind: str, **wanted: object) -> list[FaultRule]:
    """The storm's rule of this kind, which now strikes the first write."""
    found = [rule for rule in storm("salesforce", seed=1, quota=1) if rule.kind == kind]
    found = [rule for rule in found if all(getattr(rule, name) == value for name, value in wanted.items())]
    assert len(found) == 1
    rule = found[0]
    return [
        FaultRule(
            kind=rule.kind,
            endpoint=rule.endpoint,
            request=(1,),
            status=rule.status,
            code=rule.code,
            message=rule.message,
            headers=rule.headers,
            seconds=3600.0 if rule.kind == "late" else 0.0,
        )
    ]


def phone_of(sandbox: Sandbox, key: str) -> object:
    """What the org holds."""
    return (sandbox.store.row("Account", key) or {})["Phone"]


@pytest.mark.parametrize(("status", "code"), [(503, "SERVER_UNAVAILABLE"), (403, "REQUEST_LIMIT_EXCEEDED")])
def test_a_refused_write_changes_nothing(
    sandbox: Sandbox, key: str, write: Callable[[str], requests.Response], status: int, code: str
) -> None:
    """In the vendor's words; the next one is taken."""
    sandbox.faults.replace(rules("status", status=status))
    refused = write("1")
    assert (refused.status_code, refused.json()[0]["errorCode"]) == (status, code)
    assert phone_of(sandbox, key) is None
    assert write("1").json()[0]["success"]


def test_a_locked_row_is_refused_by_itself(
    sandbox: Sandbox, key: str, write: Callable[[str], requests.Response]
) -> None:
    """UNABLE_TO_LOCK_ROW in the row's own result, the call is a 200."""
    sandbox.faults.replace(rules("lock"))
    reply = write("1")
    assert reply.status_code == 200
    assert reply.json()[0]["errors"][0]["statusCode"] == "UNABLE_TO_LOCK_ROW"
    assert phone_of(sandbox, key) is None


@pytest.mark.parametrize(("kind", "held"), [("reset_before", None), ("reset_after", "1")])
def test_a_lost_reply_hides_whether_the_write_happened(
    sandbox: Sandbox, key: str, write: Callable[[str], requests.Response], kind: str, held: str | None
) -> None:
    """The connection is cut either way."""
    sandbox.faults.replace(rules(kind))
    with pytest.raises(requests.ConnectionError):
        write("1")
    assert phone_of(sandbox, key) == held


def test_a_late_write_is_applied_after_its_client_has_given_up(
    sandbox: Sandbox, key: str, write: Callable[[str], requests.Response]
) -> None:
    """Over what was written meanwhile: the audit keeps the order in which it really happened."""
    sandbox.faults.replace(rules("late"))
    with pytest.raises(requests.ConnectionError):
        write("late")
    assert phone_of(sandbox, key) is None
    assert write("in time").json()[0]["success"]
    sandbox.settle_late()
    assert phone_of(sandbox, key) == "late"
    changes = [c for c in sandbox.audit.changes() if c.field == "Phone"]
    assert [(c.before, c.after) for c in changes] == [(None, "in time"), ("in time", "late")]
    assert changes[0].request is not None
    assert changes[1].request == changes[0].request - 1
    told = {r.number: (r.status, r.fault) for r in sandbox.audit.requests()}
    assert told[changes[0].request - 1] == (0, "late")


def test_a_late_write_of_a_closed_org_never_comes(
    start: Callable[..., Sandbox], login: Callable[[Sandbox], str]
) -> None:
    """Closing waits for nobody."""
    sandbox = start()
    sandbox.faults.add(kind="late", endpoint="record.create", seconds=3600.0)
    headers = {"Authorization": f"Bearer {login(sandbox)}"}
    with pytest.raises(requests.ConnectionError):
        requests.post(
            f"{sandbox.url}/services/data/v68.0/sobjects/Account",
            json={"Name": "Acme"}, headers=headers, timeout=10,
        )  # fmt: skip
    folder = sandbox.folder
    sandbox.close()
    again = start()
    assert again.folder == folder
    assert again.store.select("SELECT count(*) FROM Account") == [(0,)]


def test_a_late_requests_connection_stays_open_until_its_client_or_its_wait_ends(
    start: Callable[..., Sandbox], login: Callable[[Sandbox], str]
) -> None:
    """By the clock that was passed in."""
    slept: list[float] = []
    sandbox = start(sleep=slept.append)
    sandbox.faults.add(kind="late", endpoint="versions", seconds=3600.0, wait=90.0)
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{sandbox.url}/services/data", timeout=10)
    assert slept == [90.0]


def test_the_audit_names_the_rows_of_every_writing_request(
    sandbox: Sandbox, http: Http, key: str, write: Callable[[str], requests.Response]
) -> None:
    """Also of one that was cut off, and of a composite's subrequests; equal contents have equal digests."""
    sandbox.faults.add(kind="reset_before", endpoint="collections.update", times=1)
    before = len(sandbox.audit.rows())
    with pytest.raises(requests.ConnectionError):
        write("1")
    write("1")
    write("2")
    part = {"method": "PATCH", "url": f"/services/data/v68.0/sobjects/Account/{key}", "body": {"Phone": "3"}}
    http("POST", "/composite", json={"compositeRequest": [{**part, "referenceId": "a"}]})
    task = {"attributes": {"type": "Task"}, "Subject": "Call"}
    for _ in range(2):
        http("POST", "/composite/sobjects", json={"records": [task]})
    http("GET", f"/sobjects/Account/{key}")
    rows = sandbox.audit.rows()[before:]
    assert [row.id for row in rows] == [key, key, key, key, None, None]
    digests = [row.digest for row in rows]
    assert digests[0] == digests[1] != digests[2]
    assert digests[4] == digests[5]
    assert len({row.request for row in rows}) == 6
