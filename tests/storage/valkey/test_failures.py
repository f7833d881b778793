"""The shared ledger while its store stalls, dies, starts anew, fails over, or has its clock set."""

from __future__ import annotations

import asyncio
import signal
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from linarite.domain.ledger import Bucket, Charge, DoesNotFit, Window
from linarite.domain.quota_errors import LedgerUnavailable
from linarite.storage.valkey import connection as connection_module
from linarite.storage.valkey.ledger import ValkeyLedger
from tests.authority import Authority
from tests.serving import free_port
from tests.store import Store, needs_store, running_store, shared_ledger

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from linarite.domain.ledger import Ledger

pytestmark = [pytest.mark.anyio, needs_store]

RECOVERY_S = 30.0
DAY = Bucket("day", "key-tokens", "tokens", 1000, Window.DAY)
MINUTE = Bucket("minute", "key-tokens", "tokens", 100, Window.MINUTE)
PLACE = Bucket("place", "key-concurrent", "concurrent", 1, Window.HELD)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store that keeps what it was told."""
    with running_store(tmp_path, "--appendonly", "yes", "--appendfsync", "always") as running:
        yield running


@asynccontextmanager
async def server(url: str, **settings: object) -> AsyncIterator[Ledger]:
    """A server's ledger, with a short deadline."""
    ledger = await shared_ledger(url, **{"ledger_deadline_s": 0.2, **settings})
    try:
        yield ledger
    finally:
        await ledger.close()


async def recovered(ledger: Ledger) -> float:
    """Seconds until it charges again."""
    began = time.monotonic()
    while True:
        try:
            await ledger.reserve([Charge(DAY, 1)])
        except LedgerUnavailable:
            assert time.monotonic() - began < RECOVERY_S
            await asyncio.sleep(0.02)
        else:
            return time.monotonic() - began


async def refused_within(ledger: Ledger, longest_s: float, *charges: Charge) -> LedgerUnavailable:
    """The refusal, which must come in time."""
    began = time.monotonic()
    with pytest.raises(LedgerUnavailable) as refused:
        await ledger.reserve(charges or [Charge(DAY, 100)])
    assert time.monotonic() - began < longest_s
    return refused.value


async def test_a_stalled_store_is_waited_for_once(store: Store) -> None:
    """Then refusals are quick; when it goes on, nothing is charged that was refused."""
    async with server(store.url) as ledger:
        held = await ledger.reserve([Charge(DAY, 100), Charge(PLACE, 1)])
        store.signal(signal.SIGSTOP)
        refusals = await asyncio.gather(*(refused_within(ledger, 2) for _ in range(50)))
        assert refusals[0].status == 503
        assert refusals[0].headers["retry-after"] == "1"
        assert "on_ledger_failure" in str(refusals[0].hint)
        began = time.monotonic()
        for _ in range(100):
            await refused_within(ledger, 2)
        assert time.monotonic() - began < 5  # nobody waits any more: it would be 20
        ledger.settle(held, [30, 0])
        await asyncio.sleep(0.3)
        store.signal(signal.SIGCONT)
        assert await recovered(ledger) < RECOVERY_S
        await asyncio.sleep(0.1)
        assert await ledger.left([DAY, PLACE]) == [1000 - 30 - 1, 1]


async def test_a_store_that_pauses_its_clients_is_away(store: Store) -> None:
    """As while a replica takes over."""
    async with server(store.url) as ledger:
        await ledger.reserve([Charge(DAY, 1)])
        store.ask("CLIENT", "PAUSE", 1500, "ALL")
        await refused_within(ledger, 1)
        assert await recovered(ledger) < RECOVERY_S
        assert await ledger.left([DAY]) == [998]


async def test_a_store_that_starts_anew_goes_on(store: Store) -> None:
    """Killed in the middle of a load, with what it keeps; places are of servers that it hears."""
    async with server(store.url) as ledger:
        admitted = 0

        async def load() -> None:
            nonlocal admitted
            for _ in range(40):
                try:
                    await ledger.reserve([Charge(DAY, 1)])
                    admitted += 1
                except LedgerUnavailable:
                    await asyncio.sleep(0.05)

        loading = [asyncio.create_task(load()) for _ in range(5)]
        await asyncio.sleep(0.02)
        store.kill()
        await refused_within(ledger, 1)
        store.start()
        assert await recovered(ledger) < RECOVERY_S
        await asyncio.wait(loading)
        assert await ledger.left([DAY]) == [1000 - admitted - 1]
        held = await ledger.reserve([Charge(PLACE, 1)])
        ledger.settle(held, [0])
        assert await ledger.left([PLACE]) == [1]


async def test_a_store_that_has_forgotten_all_is_used_anew(tmp_path: Path) -> None:
    """Its scripts too; what is settled from before harms nothing."""
    with running_store(tmp_path) as store:
        async with server(store.url) as ledger:
            held = await ledger.reserve([Charge(MINUTE, 60), Charge(PLACE, 1)])
            store.ask("SCRIPT", "FLUSH")
            store.ask("FLUSHALL")
            assert (await ledger.reserve([Charge(PLACE, 1)])).left == [0]
            ledger.settle(held, [90, 0])
            assert await ledger.left([MINUTE, PLACE]) == [100, 0]


async def test_a_replica_that_takes_over_is_found(tmp_path: Path) -> None:
    """Among the stores that settings name; the other one, come back as a replica, is not asked."""
    with running_store(tmp_path) as first:
        host, port = "127.0.0.1", str(first.port)
        with running_store(tmp_path, "--replicaof", host, port) as second:
            async with server(f"{second.url},127.0.0.1:{port}") as ledger:
                await recovered(ledger)
                await ledger.reserve([Charge(DAY, 499)])
                await until_copied(second)
                first.kill()
                second.ask("REPLICAOF", "NO", "ONE")
                assert await recovered(ledger) < RECOVERY_S
                assert (await ledger.left([DAY]))[0] <= 1000 - 501
                second.ask("REPLICAOF", host, port)  # as after a switch by hand: it takes no writes
                first.start()
                assert await recovered(ledger) < RECOVERY_S


async def until_copied(replica: Store) -> None:
    """Return once it has what its primary has."""
    async with asyncio.timeout(10):
        while not replica.ask("KEYS", "{linarite}:b:*"):  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.05)


async def test_each_counts_for_itself_where_that_is_set(store: Store) -> None:
    """While the store is away, at once and without waiting; then together again."""
    async with server(store.url, on_ledger_failure="local") as ledger:
        while ledger.reserve_now([Charge(PLACE, 0)]) is not None:  # noqa: ASYNC110 - it connects
            await asyncio.sleep(0.02)
        before = await ledger.reserve([Charge(MINUTE, 60)])
        store.kill()
        meanwhile = await ledger.reserve([Charge(MINUTE, 90)])
        with pytest.raises(DoesNotFit):
            ledger.reserve_now([Charge(MINUTE, 11)])
        ledger.settle(meanwhile, [95])
        own = ledger.reserve_now([Charge(MINUTE, 5)])
        assert own is not None
        assert own.left == [0]
        ledger.settle(before, [10])
        store.start()
        began = time.monotonic()
        while ledger.reserve_now([Charge(PLACE, 0)]) is not None:
            assert time.monotonic() - began < RECOVERY_S
            await asyncio.sleep(0.02)
        ledger.settle(own, [0])
        assert await ledger.left([MINUTE]) == [90]


@pytest.mark.parametrize("by_ms", [-7_200_000, -30_000, 30_000, 7_200_000])
async def test_a_clock_that_is_set_ends_no_window(store: Store, by_ms: int) -> None:
    """Of the store: what is charged still counts, and is there again when it would have been."""
    second = Bucket("second", "key-tokens", "tokens", 10, Window.SECOND)
    patient = {"ledger_deadline_s": 5.0}  # on a busy machine the store takes its time
    async with server(store.url, **patient) as one, server(store.url, **patient) as other:
        for ledger in (one, other):
            await ledger.reserve([Charge(MINUTE, 40), Charge(second, 5)])
        began = time.monotonic()
        # For the scripts the same as if the machine's clock were set.
        store.ask("HINCRBY", "{linarite}:clock", "offset", -by_ms)
        for ledger in (one, other, one):
            with pytest.raises(DoesNotFit):
                await ledger.reserve([Charge(MINUTE, 40)])
        await asyncio.sleep(max(0.0, began + 1.05 - time.monotonic()))
        assert (await other.reserve([Charge(MINUTE, 20), Charge(second, 5)])).left == [0, 5]
        assert (await one.reserve([Charge(second, 5)])).left == [0]


async def test_what_waits_for_the_store_is_bounded(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many come while it stands still; and what could not be settled is, too."""
    monkeypatch.setattr(connection_module, "PENDING_MAX", 100)
    monkeypatch.setattr("linarite.storage.valkey.ledger.UNSETTLED_MAX", 150)
    async with server(store.url) as ledger:
        assert isinstance(ledger, ValkeyLedger)
        connection = ledger._keeper.connection
        assert connection is not None
        store.signal(signal.SIGSTOP)
        waiting = [asyncio.create_task(refused_within(ledger, 60)) for _ in range(5000)]
        await asyncio.sleep(0)
        assert len(connection._waiting) <= 101
        await asyncio.gather(*waiting)
        assert len(ledger._unsettled) <= 150
        store.signal(signal.SIGCONT)
        await recovered(ledger)


async def test_a_server_that_starts_without_its_store_waits_for_it(tmp_path: Path) -> None:
    """It refuses until then."""
    store = Store(tmp_path)
    async with server(store.url) as ledger:
        refused = await refused_within(ledger, 1)
        assert "can't be asked" in refused.message
        with pytest.raises(LedgerUnavailable):
            await ledger.left([DAY])
        store.start()
        try:
            assert await recovered(ledger) < RECOVERY_S
        finally:
            store.kill()


async def test_a_store_that_wants_a_password_is_shown_it(tmp_path: Path) -> None:
    """Without one, or with another, it can't be used; the log tells why."""
    with running_store(tmp_path, "--requirepass", "s3cret") as store:
        async with server(store.url) as ledger:
            assert "NOAUTH" in (await refused_within(ledger, 1)).message
        async with server(store.url, ledger_password="wrong") as ledger:
            assert "WRONGPASS" in (await refused_within(ledger, 1)).message
        numbered = store.url.replace("//", "//default@") + "/3"
        async with server(numbered, ledger_password="s3cret") as ledger:
            await ledger.reserve([Charge(DAY, 1)])


async def test_tls_is_by_the_authority_that_settings_name(tmp_path: Path) -> None:
    """Any other certificate is refused."""
    own, foreign = Authority(tmp_path, "own"), Authority(tmp_path, "foreign")
    certificate = str(own.server_file("localhost"))
    port = free_port()
    options = ("--tls-port", str(port), "--tls-auth-clients", "no")
    files = ("--tls-cert-file", certificate, "--tls-key-file", certificate)
    authority = ("--tls-ca-cert-file", str(own.file))
    with running_store(tmp_path, *options, *files, *authority):
        url = f"valkeys://localhost:{port}"
        async with server(url, ledger_ca_file=str(own.file)) as ledger:
            await ledger.reserve([Charge(DAY, 1)])
        async with server(url, ledger_ca_file=str(foreign.file)) as ledger:
            assert "certificate" in (await refused_within(ledger, 1)).message


async def test_what_is_no_such_store_is_told_so() -> None:
    """Whatever it answers; the server goes on trying."""

    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"*3\r\n:1\r\n:2\r\n:3\r\n")
        await writer.drain()
        writer.close()

    listening = await asyncio.start_server(talk, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    async with server(f"valkey://127.0.0.1:{port}") as ledger:
        assert "does not answer as Valkey" in (await refused_within(ledger, 1)).message
        await asyncio.sleep(0.4)
        assert "does not answer as Valkey" in (await refused_within(ledger, 1)).message
    listening.close()
    await listening.wait_closed()
