"""Faults, quota, audit and time as a client on the wire meets them."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
import requests
from simple_salesforce import Salesforce

from connectors.sandbox.clock import advance, base
from connectors.sandbox.server import Sandbox
from connectors.sandbox.store import Store

Http = Callable[..., requests.Response]
COUNT = "SELECT COUNT() FROM Account"


def test_a_status_fault_answers_in_the_vendors_shape(sandbox: Sandbox, http: Http) -> None:
    """With the code, the headers and so often as the rule says."""
    sandbox.faults.add(kind="status", endpoint="limits", status=503, headers={"Retry-After": "1"}, times=1)
    first, second = http("GET", "/limits"), http("GET", "/limits")
    assert (first.status_code, first.json()[0]["errorCode"]) == (503, "SERVER_UNAVAILABLE")
    assert first.headers["Retry-After"] == "1"
    assert second.status_code == 200
    assert [r.fault for r in sandbox.audit.requests()[-2:]] == ["status", None]


def test_a_status_fault_may_carry_any_body(sandbox: Sandbox, http: Http) -> None:
    """A proxy's HTML page, for instance."""
    sandbox.faults.add(kind="status", endpoint="limits", status=502, body="<html>Bad gateway</html>")
    assert http("GET", "/limits").text == "<html>Bad gateway</html>"


@pytest.mark.parametrize(("kind", "records"), [("reset_before", 0), ("reset_after", 1)])
def test_a_reset_cuts_the_connection_before_or_after_the_write(
    sandbox: Sandbox, http: Http, kind: str, records: int
) -> None:
    """The client can't tell which; the org can."""
    sandbox.faults.add(kind=kind, endpoint="record.create", times=1)
    with pytest.raises(requests.ConnectionError):
        http("POST", "/sobjects/Account", json={"Name": "Acme"})
    assert http("GET", "/query", params={"q": COUNT}).json()["totalSize"] == records
    assert sandbox.audit.requests()[-2].status == 0


def test_a_reset_is_a_real_rst(sandbox: Sandbox) -> None:
    """Not a polite end of the stream."""
    sandbox.faults.add(kind="reset_before", endpoint="versions")
    with socket.create_connection(("127.0.0.1", sandbox.port), timeout=10) as raw:
        raw.sendall(b"GET /services/data HTTP/1.1\r\nHost: x\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            raw.recv(100)


def test_a_delay_waits_before_the_answer(start: Callable[..., Sandbox]) -> None:
    """For as long as the rule says, by the clock that was passed in."""
    slept: list[float] = []
    sandbox = start(sleep=slept.append)
    sandbox.faults.add(kind="delay", endpoint="versions", seconds=25.0)
    assert requests.get(f"{sandbox.url}/services/data", timeout=10).status_code == 200
    assert slept == [25.0]


def test_an_expired_session_stays_expired(sandbox: Sandbox, http: Http) -> None:
    """Until the client logs in again."""
    sandbox.faults.add(kind="expire_session", endpoint="limits", request=2)
    assert [http("GET", "/limits").status_code for _ in range(3)] == [200, 401, 401]


def test_an_edit_comes_just_before_the_request(sandbox: Sandbox, http: Http) -> None:
    """As when a person is quicker than the sync."""
    key = http("POST", "/sobjects/Account", json={"Name": "Acme"}).json()["id"]
    edit = {"object": "Account", "id": key, "values": {"Phone": "by hand"}}
    sandbox.faults.add(kind="edit", endpoint="record.read", edit=edit, times=1)
    assert http("GET", f"/sobjects/Account/{key}").json()["Phone"] == "by hand"


def test_the_faults_file_is_obeyed_while_running(sandbox: Sandbox, http: Http) -> None:
    """DIR/faults.json needs no restart."""
    (sandbox.folder / "faults.json").write_text(json.dumps([{"kind": "status", "status": 500}]))
    assert http("GET", "/limits").status_code == 500
    (sandbox.folder / "faults.json").unlink()
    assert http("GET", "/limits").status_code == 200


@pytest.mark.parametrize("text", ["[{", '[{"kind": "explode"}]', '["x"]', "5"])
def test_a_faults_file_that_says_nothing_clear_fails_every_request(
    sandbox: Sandbox, http: Http, text: str
) -> None:
    """500 with the file's name, until it is mended."""
    file = sandbox.folder / "faults.json"
    file.write_text(text)
    reply = http("GET", "/limits")
    assert (reply.status_code, reply.json()[0]["errorCode"]) == (500, "SANDBOX_FAULTS_FILE")
    assert "faults.json" in reply.json()[0]["message"]
    file.write_text("[]")
    assert http("GET", "/limits").status_code == 200


def test_the_daily_quota_is_told_and_then_enforced(
    start: Callable[..., Sandbox], login: Callable[[Sandbox], str]
) -> None:
    """403 REQUEST_LIMIT_EXCEEDED until a day has passed in the sandbox."""
    sandbox = start(daily_calls=3)
    headers = {"Authorization": f"Bearer {login(sandbox)}"}

    def ask() -> requests.Response:
        return requests.get(f"{sandbox.url}/services/data/v68.0/limits", headers=headers, timeout=10)

    replies = [ask() for _ in range(4)]
    assert [r.status_code for r in replies] == [200, 200, 200, 403]
    assert [r.headers.get("Sforce-Limit-Info") for r in replies[:2]] == ["api-usage=1/3", "api-usage=2/3"]
    assert replies[3].json()[0]["errorCode"] == "REQUEST_LIMIT_EXCEEDED"
    advance(sandbox.store, timedelta(hours=25))
    assert ask().status_code == 200


def test_the_date_header_and_stamps_follow_the_sandbox_clock(sandbox: Sandbox, http: Http) -> None:
    """Also when another process moves it."""
    other = Store.open(sandbox.store.path)
    advance(other, timedelta(weeks=3))
    other.close()
    reply = http("POST", "/sobjects/Account", json={"Name": "Acme"})
    assert parsedate_to_datetime(reply.headers["Date"]) >= datetime(2026, 11, 23, 9, tzinfo=UTC)
    created = http("GET", f"/sobjects/Account/{reply.json()['id']}").json()["CreatedDate"]
    assert created.startswith("2026-11-23T09:")


def test_the_audit_names_requests_and_changed_cells(sandbox: Sandbox, http: Http) -> None:
    """Before, after, by whom and in which request."""
    key = http("POST", "/sobjects/Account", json={"Name": "Acme", "ARR__c": 10}).json()["id"]
    http("PATCH", f"/sobjects/Account/{key}", json={"ARR__c": 20, "Name": "Acme"})
    request = sandbox.audit.requests()[-1]
    assert (request.endpoint, request.method, request.status) == ("record.update", "PATCH", 204)
    changes = [
        c for c in sandbox.audit.changes() if c.request == request.number and not c.field.startswith("Last")
    ]
    assert [(c.object, c.id, c.field, c.before, c.after) for c in changes] == [
        ("Account", key, "ARR__c", 10.0, 20.0)
    ]


def test_no_secret_reaches_the_audit(sandbox: Sandbox, sf: Salesforce) -> None:
    """Neither tokens nor the client's secret."""
    text = str(sandbox.audit.requests())
    secrets = [file.read_text().strip() for file in (sandbox.folder / "secrets").iterdir()]
    assert not any(secret in text for secret in [*secrets, sf.session_id])


def test_a_restart_keeps_records_and_time(start: Callable[..., Sandbox]) -> None:
    """The folder is the org."""
    first = start()
    first.store.bulk_insert("Account", [{"Id": "001Hs0000000001IAA", "Name": "Acme"}])
    advance(first.store, timedelta(days=1))
    first.close()
    again = start()
    assert again.store.row("Account", "001Hs0000000001IAA") is not None
    assert again.clock.now() >= datetime(2026, 11, 3, 9, tzinfo=UTC)
    assert base(again.store) <= again.clock.now()


def test_a_connection_is_kept_alive(sandbox: Sandbox) -> None:
    """Two requests on one socket."""
    with socket.create_connection(("127.0.0.1", sandbox.port), timeout=10) as raw:
        for _ in range(2):
            raw.sendall(b"GET /services/data HTTP/1.1\r\nHost: x\r\n\r\n")
            head, _, rest = raw.recv(65_536).partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200")
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            while len(rest) < length:
                rest += raw.recv(65_536)


def test_parallel_writers_do_not_disturb_each_other(
    sandbox: Sandbox, login: Callable[[Sandbox], str]
) -> None:
    """Each gets an id of its own, and every record is there."""
    headers = {"Authorization": f"Bearer {login(sandbox)}"}
    url = f"{sandbox.url}/services/data/v68.0/sobjects/Account"

    def create(number: int) -> str:
        reply = requests.post(url, json={"Name": f"A{number}"}, headers=headers, timeout=30)
        return str(reply.json()["id"])

    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(create, range(40)))
    assert len(set(ids)) == 40
    assert sandbox.store.rows("Account", ids).keys() == set(ids)


def test_an_error_in_the_sandbox_itself_is_a_500_and_the_server_goes_on(
    sandbox: Sandbox, http: Http, capsys: pytest.CaptureFixture[str]
) -> None:
    """An edit of a record that is not there can't be made."""
    edit = {"object": "Account", "id": "001Hs0000000001IAA", "values": {"Name": "x"}}
    sandbox.faults.add(kind="edit", endpoint="limits", edit=edit, times=1)
    first, second = http("GET", "/limits"), http("GET", "/limits")
    assert (first.status_code, first.json()[0]["errorCode"]) == (500, "UNKNOWN_EXCEPTION")
    assert second.status_code == 200
    assert "invalid cross reference id" in capsys.readouterr().err


def test_a_body_of_unknown_length_is_refused(sandbox: Sandbox) -> None:
    """413, and the connection ends, since nobody knows where the next request begins."""
    reply = requests.post(f"{sandbox.url}/services/data", data=iter([b"x"]), timeout=10)
    assert (reply.status_code, reply.json()[0]["errorCode"]) == (413, "REQUEST_TOO_LARGE")


def test_a_port_that_is_taken_is_named(sandbox: Sandbox, tmp_path: Path) -> None:
    """With what to do about it."""
    with pytest.raises(OSError, match=f"port {sandbox.port} .* choose another"):
        Sandbox(tmp_path / "second", port=sandbox.port)


def test_an_unknown_dialect_is_refused(tmp_path: Path) -> None:
    """With the ones there are."""
    with pytest.raises(ValueError, match="salesforce"):
        Sandbox(tmp_path, dialect="siebel")
