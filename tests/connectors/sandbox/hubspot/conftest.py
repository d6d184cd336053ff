"""A HubSpot account on a real port and the unmodified hubspot-api-client talking to it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hubspot
import pytest
import requests

from connectors.sandbox.hubspot.account import create_account
from connectors.sandbox.server import Sandbox

Ask = Callable[..., requests.Response]


@pytest.fixture(scope="session")
def account_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of a new account."""
    folder = tmp_path_factory.mktemp("account")
    create_account(folder).close()
    return folder


@pytest.fixture
def start(account_folder: Path, tmp_path: Path) -> Iterator[Callable[..., Sandbox]]:
    """Start a server over a fresh account; closed after the test."""
    running: list[Sandbox] = []

    def started(**options: Any) -> Sandbox:
        folder = tmp_path / "sandbox"
        if not folder.exists():
            shutil.copytree(account_folder, folder)
        running.append(Sandbox(folder, "hubspot", **options))
        return running[-1]

    yield started
    for sandbox in running:
        sandbox.close()


@pytest.fixture
def sandbox(start: Callable[..., Sandbox]) -> Sandbox:
    """A running account whose search index is up to date at once."""
    return start(index_lag=0, searches=1_000, burst=10_000)


@pytest.fixture
def client_of() -> Callable[[Sandbox], hubspot.Client]:
    """The vendor's client, logged in with the private app's token."""

    def connect(sandbox: Sandbox) -> hubspot.Client:
        client = hubspot.Client.create(access_token=(sandbox.folder / "secrets" / "token").read_text())
        client.config["host"] = client.config["base_url"] = sandbox.url
        return client

    return connect


@pytest.fixture
def client(sandbox: Sandbox, client_of: Callable[[Sandbox], hubspot.Client]) -> hubspot.Client:
    """The vendor's client at the running account."""
    return client_of(sandbox)


@pytest.fixture
def ask() -> Iterator[Callable[[Sandbox], Ask]]:
    """Plain HTTP with the private app's token, for replies that the client would hide."""
    sessions: list[requests.Session] = []

    def connect(sandbox: Sandbox) -> Ask:
        session = requests.Session()
        session.headers["Authorization"] = f"Bearer {(sandbox.folder / 'secrets' / 'token').read_text()}"
        sessions.append(session)

        def call(method: str, path: str, body: object = None, **query: str) -> requests.Response:
            return session.request(method, sandbox.url + path, json=body, params=query, timeout=10)

        return call

    yield connect
    for session in sessions:
        session.close()


@pytest.fixture
def http(sandbox: Sandbox, ask: Callable[[Sandbox], Ask]) -> Ask:
    """Plain HTTP to the running account."""
    return ask(sandbox)


@pytest.fixture
def problems_of() -> Callable[[requests.Response], dict[str, str]]:
    """The code by property that a refused write gives."""

    def read(reply: requests.Response) -> dict[str, str]:
        listed = json.loads(reply.json()["message"].removeprefix("Property values were not valid: "))
        return {entry["name"]: entry["error"] for entry in listed}

    return read


@pytest.fixture
def company(http: Ask) -> Callable[..., str]:
    """Create a company; its id."""

    def create(**properties: object) -> str:
        reply = http("POST", "/crm/v3/objects/companies", {"properties": properties})
        assert reply.status_code == 201, reply.text
        return str(reply.json()["id"])

    return create
