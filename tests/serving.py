"""Real servers for tests: `linarite up` as a process, used through its ready file."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.forked import Forked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

START_S = 120.0
STOP_S = 30.0


@dataclass
class Server:
    """A running server and what its ready file says."""

    process: subprocess.Popen[bytes] | Forked
    home: Path
    log: Path
    ready: dict[str, Any] = field(default_factory=dict)

    @property
    def endpoint(self) -> str:
        """What stands before `/openai`."""
        return str(self.ready["endpoint"])

    @property
    def key(self) -> str:
        """The account's first key."""
        return str(self.ready["api_key"])

    @property
    def said(self) -> str:
        """Everything the server has printed so far."""
        return self.log.read_text(errors="replace")

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self.process.wait(STOP_S)

    def stop(self) -> int:
        """Ask it to end, as Ctrl-C does; returns the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self.kill()
                raise
        return self.process.wait(STOP_S)


def start_server(
    home: Path,
    settings: str = "",
    *,
    arguments: tuple[str, ...] = (),
    wait: bool = True,
    runner: tuple[str, ...] = (),
    forked: bool = True,
) -> Server:
    """Start a server on a free port with its data in `home` and `settings` as linarite.toml.

    It is a process of its own, `forked` from one that has imported Linarite, or else started by
    its command. `runner` is what the command is handed to, such as `nice`.
    """
    home.mkdir(parents=True, exist_ok=True)
    config = home / "linarite.toml"
    config.write_text(settings)
    ready_file = home / "ready.json"
    ready_file.unlink(missing_ok=True)
    log = home / "server.log"
    words = ["up", "--port", "0", "--config", str(config), "--ready-file", str(ready_file)]
    words += arguments
    environment = clean_environment() | {"LINARITE_HOME": str(home)}
    with log.open("ab") as output:
        process: subprocess.Popen[bytes] | Forked
        if forked and not runner:
            process = Forked(words, output, environment)
        else:
            process = subprocess.Popen(
                [*runner, sys.executable, "-m", "linarite.main", *words],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=environment,
            )
    server = Server(process=process, home=home, log=log)
    if wait:
        wait_until_ready(server, ready_file)
    return server


def free_port() -> int:
    """A port that nobody has on any of the addresses."""
    with socket.socket() as probe:
        probe.bind(("0.0.0.0", 0))  # noqa: S104 - to be free on all
        return probe.getsockname()[1]


def clean_environment() -> dict[str, str]:
    """The environment without Linarite's own variables and without clients' credentials."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("LINARITE_", "OPENAI_", "AZURE_"))
    }


def wait_until_ready(server: Server, ready_file: Path) -> None:
    """Read the ready file once it is there; fail with the server's own words if it ends."""
    deadline = time.monotonic() + START_S
    while not ready_file.exists():
        if server.process.poll() is not None:
            message = f"the server ended with {server.process.returncode}:\n{server.said}"
            raise AssertionError(message)
        if time.monotonic() > deadline:
            server.kill()
            message = f"the server was not ready after {START_S:g} s:\n{server.said}"
            raise AssertionError(message)
        time.sleep(0.05)
    server.ready = json.loads(ready_file.read_text())


@contextmanager
def stopped(server: Server) -> Iterator[Server]:
    """Stop the server afterwards, whatever happens."""
    try:
        yield server
    finally:
        server.stop()


def serving(home: Path, settings: str = "") -> Iterator[Server]:
    """A server for as long as a fixture lives; it must stop cleanly."""
    server = start_server(home, settings)
    try:
        yield server
    finally:
        code = server.stop()
    assert code == 0, server.said


SIMULATED = """
[[deployments]]
name = "gpt-4o"
model = "gpt-4o"
model_version = "2024-11-20"
instance = "simulated"

[[deployments]]
name = "text-embedding-3-small"
model = "text-embedding-3-small"
instance = "simulated"

[instances.simulated]
engine = "simulator"
model = "gpt-4o"
options = { seed = 1 }
"""
"""two deployments on one simulator, as fast as it goes"""
