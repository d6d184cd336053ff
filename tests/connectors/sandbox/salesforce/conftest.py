"""A Salesforce org on a real port and the unmodified simple-salesforce talking to it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter
from simple_salesforce import Salesforce

from connectors.sandbox.salesforce.org import create_org
from connectors.sandbox.server import Sandbox


class PlainLoopback(HTTPAdapter):
    """simple-salesforce insists on https; the sandbox listens on plain loopback."""

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        """Send over http what is addressed to https."""
        request.url = str(request.url).replace("https://127.0.0.1", "http://127.0.0.1")
        return super().send(request, **options)


@pytest.fixture(scope="session")
def org_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of a new org."""
    folder = tmp_path_factory.mktemp("org")
    create_org(folder).close()
    return folder


@pytest.fixture
def start(org_folder: Path, tmp_path: Path) -> Iterator[Callable[..., Sandbox]]:
    """Start a server over a fresh org; closed after the test."""
    running: list[Sandbox] = []

    def started(**options: Any) -> Sandbox:
        folder = tmp_path / "sandbox"
        if not folder.exists():
            shutil.copytree(org_folder, folder)
        running.append(Sandbox(folder, **options))
        return running[-1]

    yield started
    for sandbox in running:
        sandbox.close()


@pytest.fixture
def sandbox(start: Callable[..., Sandbox]) -> Sandbox:
    """A running org."""
    return start()


@pytest.fixture
def login() -> Callable[[Sandbox], str]:
    """Log in by client credentials; the access token."""

    def token(sandbox: Sandbox) -> str:
        facts = json.loads((sandbox.folder / "sandbox.json").read_text())
        form = {
            "grant_type": "client_credentials",
            "client_id": facts["client_id"],
            "client_secret": (sandbox.folder / "secrets" / "client_secret").read_text(),
        }
        reply = requests.post(f"{sandbox.url}/services/oauth2/token", data=form, timeout=10)
        return str(reply.json()["access_token"])

    return token


@pytest.fixture
def http(sandbox: Sandbox, login: Callable[[Sandbox], str]) -> Iterator[Callable[..., requests.Response]]:
    """Call an address below /services/data/v68.0 as the integration user."""
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {login(sandbox)}"

        def call(method: str, path: str, **options: Any) -> requests.Response:
            return session.request(method, f"{sandbox.url}/services/data/v68.0{path}", timeout=10, **options)

        yield call


@pytest.fixture
def client(login: Callable[[Sandbox], str]) -> Iterator[Callable[[Sandbox], Salesforce]]:
    """A simple-salesforce client of a running org."""
    sessions: list[requests.Session] = []

    def connect(sandbox: Sandbox) -> Salesforce:
        session = requests.Session()
        session.mount("https://", PlainLoopback())
        sessions.append(session)
        url = sandbox.url.replace("http:", "https:")
        return Salesforce(session_id=login(sandbox), instance_url=url, session=session, version="68.0")

    yield connect
    for session in sessions:
        session.close()


@pytest.fixture
def sf(sandbox: Sandbox, client: Callable[[Sandbox], Salesforce]) -> Salesforce:
    """simple-salesforce, logged in."""
    return client(sandbox)
