"""Making and removing the hosts of a network bed: Linux network namespaces and veth pairs.

Each link is made inside the two namespaces that it joins, so the machine's own network is neither
read nor changed. Names are unique to a bed, and a record of its owner lets the next bed remove what
a killed one left behind.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from linarite.cli.netbed.layout import PUBLIC, SERVER
from linarite.cli.netbed.records import BedRecord, forget, keep, stale, start_of
from linarite.domain.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from linarite.cli.netbed.layout import Layout, Network

NAMES = "linarite-"
"""what the names of all namespaces of beds begin with"""
RESOLVERS = Path("/etc/netns")
"""where `ip netns exec` finds files that stand in for those of /etc"""
RUN_S = 60.0


def why_not() -> str:
    """Why no bed can be made here; "" where one can."""
    if sys.platform != "linux":
        return f"network namespaces are Linux's, and this is {sys.platform}"
    if os.geteuid() != 0:
        return "making network namespaces needs root (try: sudo)"
    if shutil.which("ip") is None:
        return "the program ip is missing (Debian, Ubuntu: apt-get install iproute2)"
    probe = f"{NAMES}probe-{secrets.token_hex(4)}"
    made = subprocess.run(  # noqa: S603 - our own words
        ["ip", "netns", "add", probe],  # noqa: S607 - wherever the system has it
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode:
        return f"this system lets nobody make network namespaces: {made.stderr.strip()}"
    ip("netns", "del", probe)
    return ""


class Bed:
    """Hosts that exist. Made by `make_bed`, gone after `remove`."""

    def __init__(self, record: BedRecord) -> None:
        self.record = record

    def namespace(self, host: str) -> str:
        """The name of a host's network namespace. An unknown host is an error of the caller's."""
        assert host in self.record.hosts, host  # noqa: S101 - as said
        return f"{NAMES}{self.record.name}-{host}"

    def command(self, host: str, arguments: Sequence[str]) -> list[str]:
        """What to execute so that a program runs on a host."""
        return ["ip", "netns", "exec", self.namespace(host), *arguments]

    def ip(self, host: str, *arguments: str) -> str:
        """Have `ip` show or change something on a host. Raises SetupError."""
        return ip("-n", self.namespace(host), *arguments)

    def resolve_by(self, host: str, *servers: str) -> None:
        """Have programs that run on a host ask these name servers, none if there are none."""
        folder = RESOLVERS / self.namespace(host)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "resolv.conf").write_text("".join(f"nameserver {each}\n" for each in servers))

    def know_names(self, host: str, addresses: Mapping[str, str]) -> None:
        """Have programs that run on a host, and those that will, find these names in /etc/hosts."""
        lines = [f"{address} {name}\n" for name, address in addresses.items()]
        folder = RESOLVERS / self.namespace(host)
        folder.mkdir(parents=True, exist_ok=True)
        # The same file, written again: it stands in for /etc/hosts of programs that run.
        (folder / "hosts").write_text("".join(("127.0.0.1 localhost\n", *lines)))

    def remove(self) -> None:
        """End what runs on the hosts and remove them; idempotent."""
        for host in self.record.hosts:
            namespace = self.namespace(host)
            _end_processes(namespace)
            with suppress(SetupError):  # never made, or gone already
                ip("netns", "del", namespace)
            shutil.rmtree(RESOLVERS / namespace, ignore_errors=True)
        with suppress(OSError):  # others have files there
            RESOLVERS.rmdir()
        forget(self.record)


@contextmanager
def bed(layout: Layout) -> Generator[Bed]:
    """A bed for as long as the block runs. Raises SetupError."""
    made = make_bed(layout)
    try:
        yield made
    finally:
        made.remove()


def make_bed(layout: Layout, home: str = "") -> Bed:
    """Make all hosts and links of a layout, after removing what killed beds left.

    The bed belongs to this process. Raises SetupError, and leaves nothing behind then.
    """
    remove_stale()
    pid = os.getpid()
    record = BedRecord(
        name=bed_name(), pid=pid, started=start_of(pid), hosts=layout.hosts, home=home
    )
    keep(record)
    made = Bed(record)
    try:
        for host in layout.hosts:
            ip("netns", "add", made.namespace(host))
            made.resolve_by(host)
            made.know_names(host, {})
            made.ip(host, "link", "set", "lo", "up")
        for network in layout.networks:
            _join(made, network)
        for network in layout.networks:
            _show_the_way(made, network, layout)
    except BaseException:
        made.remove()
        raise
    return made


def bed_name() -> str:
    """A name that no other bed has."""
    return secrets.token_hex(3)


def remove_stale() -> None:
    """Remove the beds whose owners are gone."""
    for record in stale():
        Bed(record).remove()


def ip(*arguments: str) -> str:
    """Run `ip`; returns what it prints. Raises SetupError with its words."""
    done = subprocess.run(  # noqa: S603 - our own words
        ["ip", *arguments],  # noqa: S607 - wherever the system has it
        capture_output=True,
        text=True,
        check=False,
        timeout=RUN_S,
    )
    if done.returncode:
        said = done.stderr.strip() or f"it ended with {done.returncode}"
        raise SetupError(f"`ip {' '.join(arguments)}` failed: {said}")
    return done.stdout


def _join(made: Bed, network: Network) -> None:
    """Link a host with the server: the link has the network's name there, `eth0` here."""
    server, host = made.namespace(SERVER), made.namespace(network.name)
    ip(
        *("link", "add", network.name, "netns", server, "type", "veth"),
        *("peer", "name", "eth0", "netns", host),
    )
    for place, link, addresses in (
        (SERVER, network.name, network.server),
        (network.name, "eth0", network.host),
    ):
        made.ip(place, "link", "set", link, "addrgenmode", "none", "up")
        for address in addresses:
            # Without looking for duplicates, which takes IPv6 a second; there are none.
            detection = ("nodad",) if ":" in address else ()
            made.ip(place, "addr", "add", address, "dev", link, *detection)


def _show_the_way(made: Bed, network: Network, layout: Layout) -> None:
    """Let a host know the way to the public side, by the server's address in its own network."""
    for beyond in layout.networks:
        if beyond.name != PUBLIC.name or beyond is network:
            continue
        for subnet in beyond.subnets:
            if (":" in subnet) == (":" in network.server_address):
                made.ip(network.name, "route", "add", subnet, "via", network.server_address)


def _end_processes(namespace: str) -> None:
    """Kill what still runs in a namespace, which would keep it alive."""
    try:
        listed = ip("netns", "pids", namespace)
    except SetupError:
        return
    for pid in map(int, listed.split()):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
