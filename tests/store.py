"""A real Valkey or Redis, of this machine, for tests that share a ledger."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import hiredis
import msgspec
import pytest

from linarite.controlplane.options import Quota
from linarite.controls.egress import EgressDialer, EgressPolicy, PurposeHosts
from linarite.quota_parts import open_shared_ledger
from tests.serving import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from linarite.domain.ledger import Ledger

PROGRAM = shutil.which("valkey-server") or shutil.which("redis-server") or ""
needs_store = pytest.mark.skipif(
    not PROGRAM, reason="there is no valkey-server or redis-server; make setup-clients installs it"
)
packed: Callable[[tuple[str | int, ...]], bytes] = hiredis.pack_command  # pyright: ignore[reportAssignmentType] - the library's types are narrower than it is
"""one command, as it goes over the wire"""
START_S = 60.0


class Store:
    """One server process, which can be stopped, killed and started anew."""

    def __init__(self, folder: Path, *options: str, port: int = 0) -> None:
        """`options` as on its command line."""
        self.port = port or free_port()
        self._folder = folder
        self._options = options
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """As `quota.ledger` names it."""
        return f"valkey://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Return once it answers."""
        plain = ("--save", "", "--appendonly", "no", "--loglevel", "warning")
        where = ("--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self._folder))
        with (self._folder / f"store-{self.port}.log").open("ab") as log:
            self.process = subprocess.Popen(
                [PROGRAM, *where, *plain, *self._options], stdout=log, stderr=log
            )
        until = time.monotonic() + START_S
        while time.monotonic() < until:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 0.2):
                return
            time.sleep(0.01)
        raise AssertionError((self._folder / f"store-{self.port}.log").read_text())

    def kill(self) -> None:
        """At once."""
        self.signal(signal.SIGKILL)
        assert self.process is not None
        self.process.wait()

    def signal(self, number: int) -> None:
        """SIGSTOP and SIGCONT: it stands still, and goes on."""
        assert self.process is not None
        self.process.send_signal(number)

    def ask(self, *command: str | int) -> object:
        """One command, on a connection of its own."""
        reader = hiredis.Reader()
        with socket.create_connection(("127.0.0.1", self.port), 5) as connection:
            connection.sendall(packed(command))
            while True:
                reader.feed(connection.recv(65536))
                if (reply := reader.gets()) is not False:
                    return reply


@contextmanager
def running_store(folder: Path, *options: str, port: int = 0) -> Iterator[Store]:
    """One that ends with the block."""
    store = Store(folder, *options, port=port)
    store.start()
    try:
        yield store
    finally:
        assert store.process is not None
        store.signal(signal.SIGCONT)
        store.kill()


async def shared_ledger(url: str, **settings: object) -> Ledger:
    """A server's ledger in that store, by settings of the section `quota`."""
    quota = msgspec.convert({"ledger": url, **settings}, Quota)
    policy = EgressPolicy(
        purposes={"ledger": PurposeHosts(named_hosts=frozenset(("127.0.0.1", "localhost")))}
    )
    return await open_shared_ledger(quota, EgressDialer(policy))
