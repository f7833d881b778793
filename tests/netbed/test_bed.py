"""The bed itself: separate hosts, and nothing left of them."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from linarite.cli.netbed.layout import APPLICATION, PARTNER, PUBLIC, REGIONS, WHOLE, Layout
from linarite.cli.netbed.namespaces import Bed, bed, make_bed, remove_stale
from linarite.cli.netbed.records import RECORDS, kept
from linarite.domain.errors import SetupError
from tests.netbed.capture import Capture
from tests.netbed.sockets import connected, socket_on


def namespaces() -> set[str]:
    """Those of this machine."""
    return {file.name for file in Path("/run/netns").glob("linarite-*")}


def machine_links() -> str:
    """The machine's own links, addresses and routes."""
    shown = [["ip", "-br", "link"], ["ip", "-br", "addr"], ["ip", "route"], ["ip", "-6", "route"]]
    return "\n".join(subprocess.check_output(each, text=True) for each in shown)


def listening(on: Bed, host: str, address: str) -> socket.socket:
    """A socket that listens on a host."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    made = socket_on(on, host, family, socket.SOCK_STREAM)
    made.bind((address, 0))
    made.listen()
    return made


def test_each_side_reaches_the_server_and_no_other_side() -> None:
    """By its own subnet and by the public address; a neighbour's subnet is unknown to it."""
    with bed(WHOLE) as made:
        for network in (APPLICATION, PARTNER, PUBLIC, *REGIONS):
            with listening(made, "server", network.server_address) as server:
                connected(made, network.name, server.getsockname()[:2]).close()
        with listening(made, "server", PUBLIC.server_address) as server:
            connected(made, "application", server.getsockname()).close()
        with listening(made, "server", APPLICATION.server_address) as server:
            for stranger in ("partner", "public", "eastus"):
                with pytest.raises(OSError, match="unreachable"):
                    connected(made, stranger, server.getsockname())
        with listening(made, "server", "2620:4f:8000::1") as server:
            connected(made, "public", server.getsockname()[:2]).close()


def test_the_server_forwards_nothing() -> None:
    """Not even for a host that takes it for a router."""
    with bed(Layout(networks=(APPLICATION, PARTNER))) as made:
        made.ip("partner", "route", "add", "10.77.1.0/24", "via", PARTNER.server_address)
        with (
            listening(made, "application", APPLICATION.address) as hidden,
            Capture(made, "application") as seen,
            pytest.raises(OSError, match=r"timed out|unreachable"),
        ):
            connected(made, "partner", hidden.getsockname(), timeout_s=0.5)
        assert not seen.on("eth0")


def test_a_capture_sees_what_crosses_a_link() -> None:
    """Who opened, to where, on which link; and nothing on the others."""
    with bed(Layout(networks=(APPLICATION, PARTNER))) as made:
        with (
            listening(made, "server", APPLICATION.server_address) as server,
            Capture(made, "server") as seen,
            connected(made, "application", server.getsockname()) as client,
        ):
            port = client.getsockname()[1]
        [opened] = seen.packets(lambda packet: packet.opens)
        assert (opened.link, opened.source, opened.source_port) == (
            "application",
            APPLICATION.address,
            port,
        )
        assert opened.touches(APPLICATION.server_address)
        assert seen.counts()["application"] >= 3
        assert not seen.on("partner")


def test_the_machine_is_as_before() -> None:
    """Its own links and routes are the same while a bed stands; afterwards nothing is left."""
    before, there = machine_links(), namespaces()
    with bed(WHOLE) as made:
        assert machine_links() == before
        assert len(namespaces() - there) >= len(WHOLE.hosts)
        own = made.record.name
    assert machine_links() == before
    assert not [name for name in namespaces() if own in name]
    assert not (RECORDS / f"{own}.json").exists()
    assert not list(Path("/etc/netns").glob(f"*{own}*"))


def test_programs_run_on_a_host() -> None:
    """With its network, its name servers, and their exit code."""
    with bed(Layout(networks=(APPLICATION,))) as made:
        made.resolve_by("application", "10.77.1.53")
        program = "print(open('/etc/resolv.conf').read(), *__import__('socket').if_nameindex())"
        said = subprocess.check_output(
            made.command("application", [sys.executable, "-c", program]), text=True
        )
        assert "nameserver 10.77.1.53" in said
        assert "'eth0'" in said


def test_two_beds_stand_side_by_side() -> None:
    """With the same addresses."""
    layout = Layout(networks=(APPLICATION,))
    with (
        bed(layout) as one,
        bed(layout) as two,
        listening(one, "server", APPLICATION.server_address) as server,
    ):
        connected(one, "application", server.getsockname()).close()
        with pytest.raises(ConnectionRefusedError):
            connected(two, "application", server.getsockname())


def test_what_runs_on_a_host_ends_with_the_bed() -> None:
    """A program that nobody stopped would keep its host."""
    with bed(Layout(networks=(APPLICATION,))) as made:
        left = subprocess.Popen(made.command("application", ["sleep", "600"]))
    assert left.wait(60) == -signal.SIGKILL


def test_a_bed_that_fails_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """As much as had been made is removed."""
    name = f"failing-{os.getpid()}"
    monkeypatch.setattr("linarite.cli.netbed.namespaces.bed_name", lambda: name)
    with pytest.raises(SetupError, match="File exists"):
        make_bed(Layout(networks=(APPLICATION, APPLICATION)))
    assert not [left for left in namespaces() if name in left]
    assert not [record for record in kept() if record.name == name]


def test_the_bed_of_a_killed_process_is_swept() -> None:
    """By the next one, with what ran in it; those of living processes stay."""
    program = (
        "import os, signal, subprocess\n"
        "from linarite.cli.netbed.layout import APPLICATION, Layout\n"
        "from linarite.cli.netbed.namespaces import make_bed\n"
        "made = make_bed(Layout(networks=(APPLICATION,)))\n"
        "subprocess.Popen(made.command('application', ['sleep', '600']), "
        "stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)\n"
        "print(made.record.name, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    own = done.stdout.decode().strip()
    with bed(Layout(networks=(APPLICATION,))) as living:
        assert not [name for name in namespaces() if own in name]
        remove_stale()
        assert living.record in kept()
        assert living.record.pid == os.getpid()
