"""What every test may use, and the rule that CI skips nothing.

`postgres` and `shared_redis` are real servers of this machine's own programs, one of each a session (and
xdist worker), in a folder that goes with them and out of reach of anybody else's.
"""

from __future__ import annotations

import fcntl
import gc
import os
import pwd
import re
import secrets
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import hypothesis
import psycopg
import pytest
import redis
from psycopg import sql
from sqlalchemy import URL
from xdist.scheduler import LoadScopeScheduling

# how long an example takes says nothing on a machine that is shared
hypothesis.settings.register_profile("no-clock", deadline=None)
hypothesis.settings.load_profile("no-clock")
REQUIRE_ALL = os.environ.get("UPSWELL_REQUIRE_ALL") == "1"
CLUSTER = {
    "listen_addresses": "''",  # a Unix socket only: no port that another program could take
    "max_connections": "40",
    "shared_buffers": "16MB",
    "timezone": "'Asia/Kathmandu'",  # no test may pass because the server happens to be in UTC
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}
UNPRIVILEGED = ("postgres", "nobody")  # PostgreSQL refuses to run as root


TOGETHER = (
    "tests/story/test_both_crms.py",
    "tests/story/chaos/test_storms.py",
    "tests/connectors/hubspot/test_same_company.py",
    "tests/connectors/sandbox/company/test_truth.py",
    "tests/connectors/sandbox/company/test_salesforce.py",
    "tests/connectors/sandbox/hubspot/test_company.py",
)
"""Files whose tests share something that takes long to make: one worker runs them all."""
OF_ONE_MODEL = frozenset(
    f"tests/model/test_{name}.py"
    for name in (
        *("additive", "backtest", "breakdown", "evaluate", "forecast", "influence", "predict", "product"),
        *("registry", "reliability", "suspects", "train"),
    )
)
"""Files whose tests look at the same small company, its panel and a model trained on it."""
OF_SPARK = ("tests/model/test_spark.py", "tests/sync/test_spark_warehouse.py")
"""Files whose tests need Spark, whose Java machine takes longer to start than they do."""
SPARK = {
    "spark.master": "local[1]",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.bindAddress": "127.0.0.1",  # no port open but on loopback
    "spark.driver.host": "127.0.0.1",
    "spark.driver.memory": "1g",
    # small tables many times: what Spark and Java prepare for large ones is never earned back
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.shuffle.partitions": "2",
}


class Scheduler(LoadScopeScheduling):
    """Test by test to whichever worker is free, but for those that share something dear.

    xdist 3.8's own groups have no effect: they set a test's `_nodeid`, which pytest 9.2 does not read."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        if file.startswith("tests/story/mess/"):
            return "mess in HubSpot" if "[hubspot" in nodeid else "mess in Salesforce"
        if file in OF_ONE_MODEL:
            return "one model"
        if file in OF_SPARK:
            return "spark"
        return file if file in TOGETHER else nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduler:
    """Which worker runs what."""
    return Scheduler(config, log)


def pytest_collection_finish() -> None:
    """Take what was imported out of the collector's sight, and let it look less often.

    Going through what stays anyway took 12 to 18 % of the CPU time of three large files (measured)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)


def pytest_unconfigure() -> None:
    """Give back what was hidden: some extension modules count their objects at the end."""
    gc.unfreeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
    call: pytest.CallInfo[None],
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With UPSWELL_REQUIRE_ALL=1 a skipped test is a failed one, its reason kept."""
    report = yield
    if REQUIRE_ALL and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped although UPSWELL_REQUIRE_ALL=1: {report.longrepr}"
    return report


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the developer's own UPSWELL_ settings."""
    for name in [
        name for name in os.environ if name.startswith("UPSWELL_") and name != "UPSWELL_REQUIRE_ALL"
    ]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def binary() -> Callable[[str, str], Path]:
    """Find a program on this machine, or skip and say which Debian package holds it."""

    def find(name: str, package: str) -> Path:
        found = shutil.which(name)
        if found is None:
            versions = sorted(
                Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3])
            )
            found = str(versions[-1]) if versions else None
        if found is None:
            pytest.skip(f"{name} is not on this machine; it is in Debian's package {package}")
        return Path(found)

    return find


@dataclass(frozen=True, kw_only=True)
class Postgres:
    """A PostgreSQL server; every database on it sorts text as English dictionaries do."""

    folder: Path
    user: str
    password: str
    numbers: Iterator[int]

    def url(self, database: str = "postgres", *, password: str | None = None) -> str:
        """The database's URL as a user writes it in [state] url; the server asks for the password."""
        return URL.create(
            "postgresql+psycopg",
            username=self.user,
            password=self.password if password is None else password,
            database=database,
            query={"host": str(self.folder)},
        ).render_as_string(hide_password=False)

    @contextmanager
    def database(self, template: str = "template0") -> Iterator[str]:
        """The name of a new database, a copy of `template`; it is dropped at the end."""
        name = f"upswell_{next(self.numbers)}"
        self.execute("CREATE DATABASE {} TEMPLATE {}", name, template)
        try:
            yield name
        finally:
            self.execute("DROP DATABASE {} WITH (FORCE)", name)

    def execute(self, statement: str, *names: str) -> None:
        """Run a statement on the server's own database."""
        with psycopg.connect(
            host=str(self.folder),
            user=self.user,
            password=self.password,
            dbname="postgres",
            autocommit=True,
        ) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


@pytest.fixture(scope="session")
def postgres(binary: Callable[[str, str], Path]) -> Iterator[Postgres]:
    """A PostgreSQL server on a socket of its own, which asks for a password."""
    initdb, pg_ctl = binary("initdb", "postgresql"), binary("pg_ctl", "postgresql")
    # not below pytest's folder, which only its owner may enter
    folder = Path(tempfile.mkdtemp(prefix="upswell-postgres-"))
    server = Postgres(folder=folder, user="upswell", password=secrets.token_hex(16), numbers=count(1))
    try:
        (folder / "password").write_text(server.password)
        owner = _give_to_ordinary_user(folder)
        access: list[str | Path] = ["-U", server.user, "-A", "scram-sha-256", "--pwfile", folder / "password"]
        order = ["-E", "UTF8", "--locale=C", "--locale-provider=icu", "--icu-locale=en-US"]
        _run([initdb, "-D", folder / "data", "--no-sync", *access, *order], owner)
        settings = CLUSTER | {"unix_socket_directories": f"'{folder}'"}
        with (folder / "data" / "postgresql.conf").open("a") as file:
            file.writelines(f"{name} = {value}\n" for name, value in settings.items())
        _run([pg_ctl, "-D", folder / "data", "-l", folder / "log", "-w", "start"], owner, log=folder / "log")
        try:
            yield server
        finally:
            _run([pg_ctl, "-D", folder / "data", "-m", "immediate", "-w", "stop"], owner)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _give_to_ordinary_user(folder: Path) -> str | None:
    """Whom the server runs as: None for ourselves; for root an unprivileged user, who gets the folder."""
    if os.getuid() != 0:
        return None
    owner = next((name for name in UNPRIVILEGED if name in {entry.pw_name for entry in pwd.getpwall()}), None)
    if owner is None:
        pytest.skip(f"PostgreSQL refuses to run as root, and there is no user {' or '.join(UNPRIVILEGED)}")
    for path in (folder, *folder.iterdir()):
        shutil.chown(path, owner)
    return owner


def _run(command: list[str | Path], user: str | None, *, log: Path | None = None) -> None:
    """Run a program to its end as a user; what it said is in the error."""
    as_user: dict[str, Any] = {}
    if user is not None:
        as_user = {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}
    # to a file, not a pipe: the server that pg_ctl leaves behind would hold the pipe open
    with tempfile.TemporaryFile("w+") as said:
        done = subprocess.run(
            command, stdout=said, stderr=said, stdin=subprocess.DEVNULL, cwd="/", check=False, **as_user
        )
        if done.returncode:
            said.seek(0)
            told = said.read() + (log.read_text() if log is not None and log.exists() else "")
            pytest.fail(f"{command[0]} ended with {done.returncode}:\n{told}")


@pytest.fixture
def spark(binary: Callable[[str, str], Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Spark in this process: one Java machine a run, and its session, new where a test has stopped it."""
    sql = pytest.importorskip("pyspark.sql", reason="pyspark is not installed: make spark")
    binary("java", "default-jre-headless")
    tables = {"spark.sql.warehouse.dir": str(tmp_path_factory.mktemp("spark"))}
    session = sql.SparkSession.builder.config(map=SPARK | tables).getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    yield session
    gc.collect()  # sockets that py4j left to the collector are this test's, and warned of while it runs


@pytest.fixture
def redis_server(shared_redis: str) -> str:
    """The URL of a Redis that is empty when the test begins."""
    with redis.Redis.from_url(shared_redis) as client:
        client.flushall()
    return shared_redis


@pytest.fixture(scope="session")
def shared_redis(binary: Callable[[str, str], Path]) -> Iterator[str]:
    """The URL of one Redis for all tests, on a private port of loopback, which keeps nothing on disk."""
    program = binary("redis-server", "redis-server")
    with tempfile.TemporaryDirectory(prefix="upswell-redis-") as folder:
        process, port = _start_redis(program, folder)
        try:
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            process.terminate()
            process.communicate()


@dataclass(slots=True, kw_only=True)
class RedisServer:
    """A Redis on a port of its own that can be stopped, started again on that port, and wiped."""

    program: Path
    folder: str
    port: int = 0
    process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        """Where it is, or will be again."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it, empty; nothing when it runs."""
        if self.process is None:
            self.process, self.port = _start_redis(self.program, self.folder, self.port)

    def stop(self) -> None:
        """End it; what it held is lost."""
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None

    def wipe(self) -> None:
        """Lose what it holds."""
        with redis.Redis.from_url(self.url) as client:
            client.flushall()


@pytest.fixture
def own_redis(binary: Callable[[str, str], Path]) -> Iterator[RedisServer]:
    """A Redis for one test, running, which that test may stop and start."""
    with tempfile.TemporaryDirectory(prefix="upswell-redis-") as folder:
        server = RedisServer(program=binary("redis-server", "redis-server"), folder=folder)
        server.start()
        try:
            yield server
        finally:
            server.stop()


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Callable[[Path], object]], Path]:
    """A folder by name, filled once in a session whichever xdist worker asks first; tests work on copies."""
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent

    def make(name: str, fill: Callable[[Path], object]) -> Path:
        folder, done = base / f"shared-{name}", base / f"shared-{name}.done"
        with (base / f"shared-{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not done.exists():
                shutil.rmtree(folder, ignore_errors=True)  # of a worker that failed half-way
                fill(folder)
                done.touch()
        return folder

    return make


@pytest.fixture(scope="session")
def wait_until() -> Callable[..., Any]:
    """Look again and again until there is something to see, and give it; fail after some minutes.

    `tell` is called then for what to say about it."""

    def wait(look: Callable[[], Any], tell: Callable[[], str] = str, *, seconds: float = 240) -> Any:
        deadline = time.monotonic() + seconds
        pause = threading.Event()
        while time.monotonic() < deadline:
            found = look()
            if found:
                return found
            pause.wait(0.02)
        return pytest.fail(f"nothing came of it in {seconds:.0f} seconds. {tell()}")

    return wait


def _start_redis(program: Path, folder: str, port: int = 0) -> tuple[subprocess.Popen[str], int]:
    said: list[str] = []
    for _ in range(5):  # another program may take the port between our look and Redis's
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            taken = port or int(free.getsockname()[1])
        options = {"port": taken, "bind": "127.0.0.1", "dir": folder, "save": "", "appendonly": "no"}
        command = [
            str(program),
            *(part for key, value in options.items() for part in (f"--{key}", str(value))),
        ]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert process.stdout is not None
        for line in process.stdout:
            said.append(line)
            if re.search("Ready to accept connections", line):
                return process, taken
        process.wait()
        process.stdout.close()
    return pytest.fail("redis-server does not start:\n" + "".join(said))
