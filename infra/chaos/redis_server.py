"""A Redis of our own on a port of loopback, which keeps nothing on disk and loses everything on demand."""

from __future__ import annotations

import shutil
import socket
import subprocess
from pathlib import Path

import redis


class RedisServer:
    """A running redis-server. Raises FileNotFoundError when the machine has none (Debian: redis-server)."""

    def __init__(self, folder: Path) -> None:
        program = shutil.which("redis-server")
        if program is None:
            raise FileNotFoundError(
                "redis-server is not on this machine; it is in Debian's package redis-server"
            )
        self._program, self._folder = program, folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self._process = self._start()

    @property
    def url(self) -> str:
        """Its address as [redis] url takes it."""
        return f"redis://127.0.0.1:{self.port}/0"

    def wipe(self) -> None:
        """Everything in it is gone; connections stay."""
        with redis.Redis(port=self.port) as client:
            client.flushall()

    def restart(self) -> None:
        """It dies with everything in it, and comes back empty."""
        self._process.kill()
        self._process.communicate()
        self._process = self._start()

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()

    def _start(self) -> subprocess.Popen[str]:
        options = {
            "port": str(self.port),
            "bind": "127.0.0.1",
            "dir": str(self._folder),
            "save": "",
            "appendonly": "no",
        }
        command = [self._program]
        for name, value in options.items():
            command += [f"--{name}", value]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line)
            if "Ready to accept connections" in line:
                # nobody reads on: its pipe holds the few lines that it says after that
                return process
        raise RuntimeError("redis-server does not start:\n" + "".join(said))
