"""Processes in a few milliseconds: forked from one that has imported everything and opened nothing.

Run as a program it reads one JSON line for each process to start and answers with its number; what ended is
told as it ends. A process that is started here is a real one, and is killed like any other.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import threading
import traceback
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Final, Self

TICK: Final = 0.02  # seconds between two looks for processes that ended


@dataclass(slots=True, kw_only=True)
class Child:
    """One process. `status` is its exit code, or minus the signal that killed it, once it has ended."""

    pid: int
    log: Path
    status: int | None = None
    ended: threading.Event = field(default_factory=threading.Event)

    def kill(self) -> None:
        """kill -9, if it still lives; its own children live on."""
        self._signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask it to end."""
        self._signal(signal.SIGTERM)

    def kill_family(self) -> None:
        """kill -9 it and every process that it started."""
        if self.status is None:  # afterwards its number may be another's
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        if self.status is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def wait(self, seconds: float) -> int:
        """Its status once it has ended. Raises TimeoutError with what it said."""
        if not self.ended.wait(seconds) or self.status is None:
            raise TimeoutError(f"process {self.pid} still runs after {seconds} s:\n{self.said()}")
        return self.status

    def said(self) -> str:
        """What it printed so far."""
        return self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""


class Nursery:
    """Starts processes that have `modules` imported already; ends those that still run when it is closed."""

    def __init__(self, modules: tuple[str, ...], folder: Path) -> None:
        self._folder = folder
        self._children: dict[int, Child] = {}
        self._started: SimpleQueue[int] = SimpleQueue()
        self._count = 0
        self._process = subprocess.Popen(
            [sys.executable, "-m", "infra.chaos.nursery", *modules],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self, target: str, **arguments: Any) -> Child:
        """A process that calls `target` ("module:function") with these arguments, which JSON must hold."""
        self._count += 1
        log = self._folder / f"process-{self._count}.log"
        order = {"target": target, "arguments": arguments, "log": str(log)}
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        pid = self._started.get(timeout=60)
        child = self._children[pid]
        child.log = log
        return child

    def close(self) -> None:
        """End the processes that still run, and the one that they came from."""
        for child in list(self._children.values()):
            child.kill_family()
            child.wait(30)
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=30)
        self._reader.join(timeout=30)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            told = json.loads(line)
            if "status" in told:
                child = self._children[told["pid"]]
                child.status = told["status"]
                child.ended.set()
            else:
                self._children[told["pid"]] = Child(pid=told["pid"], log=Path())
                self._started.put(told["pid"])


def main(modules: list[str]) -> None:
    """Start what is asked for until nobody asks any more."""
    for name in modules:
        import_module(name)
    alive: set[int] = set()
    pending = b""
    with selectors.DefaultSelector() as selector:
        selector.register(sys.stdin.buffer, selectors.EVENT_READ)
        while True:
            for _ in selector.select(TICK):
                read = os.read(sys.stdin.fileno(), 65_536)
                if not read:
                    for pid in alive:
                        os.kill(pid, signal.SIGKILL)
                    return
                *lines, pending = (pending + read).split(b"\n")
                for line in lines:
                    pid = _fork(json.loads(line))
                    alive.add(pid)
                    _tell({"pid": pid})
            _reap(alive)


def _reap(alive: set[int]) -> None:
    while alive:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        alive.discard(pid)
        _tell({"pid": pid, "status": os.waitstatus_to_exitcode(status)})


def _tell(what: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def _fork(order: dict[str, Any]) -> int:
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        os.setsid()
        nothing = os.open(os.devnull, os.O_RDONLY)
        log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(nothing, 0)
        os.dup2(log, 1)
        os.dup2(log, 2)
        module, _, name = order["target"].partition(":")
        getattr(import_module(module), name)(**order["arguments"])
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:  # noqa: BLE001  # nothing of the parent may run in the child
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main(sys.argv[1:])
