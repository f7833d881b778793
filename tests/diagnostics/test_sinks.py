"""Sinks by themselves: what a real server's test does not reach."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from linarite.controls.egress import EgressDialer, EgressPolicy, PurposeHosts
from linarite.diagnostics.options import SinkSettings
from linarite.diagnostics.records import of_request
from linarite.diagnostics.sinks.folder import FolderSink
from linarite.diagnostics.sinks.opening import Sinks, check_sink, sink_hosts
from linarite.diagnostics.sinks.otlp import OtlpSink
from linarite.diagnostics.sinks.sink import SinkDown
from linarite.diagnostics.sinks.syslog import SyslogSink, address_of
from linarite.domain.errors import SetupError
from linarite.telemetry.otlp import Delivery
from tests.controls.egress.test_outbound import account, lists_over
from tests.diagnostics.syslog_server import SyslogServer
from tests.storage.builders import make_record

if TYPE_CHECKING:
    from pathlib import Path

    from linarite.domain.diagnostics import DiagnosticRecord
    from linarite.telemetry.otlp import SignalPath

pytestmark = pytest.mark.anyio
ACCOUNT = "/subscriptions/s/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/a"


def record(name: str = "r", **fields: object) -> DiagnosticRecord:
    """One record of a request."""
    [made] = of_request(make_record(name, account_id=ACCOUNT, **fields), "local", {"Trace"})
    return made


def dialer(*hosts: str) -> EgressDialer:
    """One that may reach hosts for diagnostic records alone."""
    named = PurposeHosts(named_hosts=frozenset(hosts))
    return EgressDialer(EgressPolicy(purposes={"diagnostics": named}))


@pytest.mark.parametrize("way", ["udp", "unix", "tcp"])
async def test_syslog_by_every_way(way: str, tmp_path: Path) -> None:
    """The same message; a server that went away is found again."""
    with SyslogServer(way, tmp_path / "log") as server:
        settings = SinkSettings(kind="syslog", address=server.address, facility=1)
        sink = SyslogSink(settings, dialer("127.0.0.1"), ACCOUNT)
        await sink.write([record("first"), record("second", status=500)])
        await sink.write([record("third")])
        messages = server.wait_for(3)
        await sink.close()
    assert [each.priority for each in messages] == [14, 12, 14]
    assert {each.kind for each in messages} == {"Trace"}


async def test_what_no_datagram_holds_is_cut(tmp_path: Path) -> None:
    """Rather than that it keeps all others waiting."""
    del tmp_path
    with SyslogServer("udp") as server:
        settings = SinkSettings(kind="syslog", address=server.address)
        sink = SyslogSink(settings, dialer("127.0.0.1"), ACCOUNT)
        await sink.write([record("long", refused_by="x" * 70_000), record("next")])
        messages = server.wait_for(2)
        await sink.close()
    assert len(messages[0].text) < 1_180


@pytest.mark.parametrize("way", ["udp", "tcp"])
async def test_egress_rules_hold(way: str) -> None:
    """For datagrams as for streams; why is told."""
    sink = SyslogSink(SinkSettings(kind="syslog", address=f"{way}://10.0.0.1:5"), dialer(), "")
    with pytest.raises(SinkDown, match=r"egress\.diagnostics\.allowed_hosts"):
        await sink.write([record()])


@pytest.mark.parametrize("way", ["udp", "tcp"])
async def test_the_accounts_own_list_holds(way: str) -> None:
    """Of the account whose records they are; a change of it acts at once."""
    lists, store = await lists_over(account(ACCOUNT, ["other.example"]))
    named = PurposeHosts(named_hosts=frozenset(("127.0.0.1",)))
    policy = EgressPolicy(purposes={"diagnostics": named})
    through = EgressDialer(policy, account_rules=[lists])
    with SyslogServer(way) as server:
        settings = SinkSettings(kind="syslog", address=server.address)
        sink, others = (SyslogSink(settings, through, each) for each in (ACCOUNT, f"{ACCOUNT}2"))
        with pytest.raises(SinkDown, match="the account's own"):
            await sink.write([record("first")])
        await others.write([record("second")])
        server.wait_for(1)
        kept = await store.get(ACCOUNT)
        assert kept is not None
        allowed = account("", ["127.0.0.1"]).properties
        await store.put(msgspec.structs.replace(kept, properties=allowed))
        await sink.write([record("third")])
        assert len(server.wait_for(2)) == 2
        await store.put(msgspec.structs.replace(kept, properties=account("", []).properties))
        with pytest.raises(SinkDown, match="the account's own"):
            await sink.write([record("fourth")])
        await sink.close()
        await others.close()


async def test_a_server_that_hears_nothing_has_nothing() -> None:
    """A connection that is closed before all has arrived is a failure, and made anew."""
    with SyslogServer("tcp") as server:
        settings = SinkSettings(kind="syslog", address=server.address)
        sink = SyslogSink(settings, dialer("127.0.0.1"), ACCOUNT)
        await sink.write([record()])
        port = server.port
    with pytest.raises(SinkDown):
        await sink.write([record()])
    with SyslogServer("tcp", port=port) as again:
        await sink.write([record()])
        again.wait_for(1)
    await sink.close()


def torn(folder: Path) -> Path:
    """The one file there, with a line that has no end."""
    [file] = folder.rglob("PT1H.json")
    with file.open("a") as opened:
        opened.write('{"half": "a rec')
    return file


async def test_a_torn_line_is_closed(tmp_path: Path) -> None:
    """A server that died in the middle of a line spoils no other record."""
    sink = FolderSink(tmp_path)
    await sink.write([record("first")])
    file = torn(tmp_path)
    await sink.write([record("second")])
    lines = file.read_text().splitlines()
    assert len(lines) == 3
    assert '"second' in lines[2]
    assert file.stat().st_mode & 0o777 == 0o600


async def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """Is down; the place is for the log alone."""
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(SinkDown) as down:
        await FolderSink(tmp_path / "taken").write([record()])
    assert str(down.value) == "Not a directory"
    assert str(tmp_path / "taken") in down.value.detail


class Picky:
    """A collector that takes no body with a certain text, or none at all."""

    def __init__(self, *, knows_us: bool = True, rotten: bytes = b"rotten") -> None:
        self.taken = b""
        self._rotten = rotten
        self._knows_us = knows_us

    async def deliver(self, path: SignalPath, body: bytes) -> Delivery:
        """Take it, or say what a status would."""
        assert path == "/v1/logs"
        if not self._knows_us:
            return Delivery(taken=False, detail="it answered with status 401")
        if self._rotten in body:
            return Delivery(taken=False, unacceptable=True, detail="it answered with status 400")
        self.taken += body
        return Delivery(taken=True)

    async def close(self) -> None:
        """Do nothing."""


async def test_a_refused_record_holds_up_no_other() -> None:
    """It alone is left out, and counted; who is not let in waits."""
    picky = Picky()
    names = [*(f"r{number:03}" for number in range(40)), "last"]
    bad = record("bad", error_code="rotten")
    assert await OtlpSink(picky).write([bad, *map(record, names)]) == 1
    assert all(picky.taken.count(name.encode()) for name in names)
    with pytest.raises(SinkDown, match="takes nothing"):
        await OtlpSink(Picky(knows_us=False)).write([record(), record()])


async def test_a_collector_that_refuses_everything_is_down() -> None:
    """Nothing is lost by it; and one that refuses a record is told which that was."""
    picky = Picky(rotten=b"")
    with pytest.raises(SinkDown, match="refuses everything"):
        await OtlpSink(picky).write([record("a"), record("b")])
    picky = Picky(rotten=b"the rotten text")
    assert await OtlpSink(picky).write([record("a", error_code="the rotten text")]) == 1
    assert b"linariteLost" in picky.taken


@pytest.mark.parametrize(
    ("text", "way", "host", "port"),
    [
        ("udp://log.example.com", "udp", "log.example.com", 514),
        ("tls://LOG.example.com:10514", "tls", "log.example.com", 10514),
        ("tcp://[2001:db8::1]:601", "tcp", "2001:db8::1", 601),
    ],
)
async def test_addresses(text: str, way: str, host: str, port: int) -> None:
    """With the ports that the standards name."""
    found = address_of(text)
    assert (found.way, found.host, found.port) == (way, host, port)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (SinkSettings(kind="syslog", address="log.example.com:514"), "udp://HOST:PORT"),
        (SinkSettings(kind="syslog", address="udp://log.example.com:70000"), "udp://HOST:PORT"),
        (SinkSettings(kind="folder"), "path"),
        (SinkSettings(kind="otlp"), "otlp.endpoint"),
    ],
)
async def test_what_cannot_work_is_refused(settings: SinkSettings, told: str) -> None:
    """At the start, by the setting's name."""
    with pytest.raises(SetupError, match=told) as refusal:
        check_sink("ops", settings, has_collector=False)
    assert "diagnostic_sinks.ops" in refusal.value.message


async def test_hosts_are_named_by_declaring_them(tmp_path: Path) -> None:
    """Syslog servers on other machines alone; a sink that is declared no more is none."""
    declared = {
        "files": SinkSettings(kind="folder", path="x"),
        "here": SinkSettings(kind="syslog", address="unix:///dev/log"),
        "siem": SinkSettings(kind="syslog", address="tls://log.example.com"),
    }
    assert sink_hosts(declared) == {"log.example.com"}
    assert Sinks(declared, tmp_path, dialer(), None).open("gone", ACCOUNT) is None
