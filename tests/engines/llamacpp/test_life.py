from __future__ import annotations

import asyncio
import os
import signal
import stat
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from linarite.domain.errors import EngineFailed, LinariteError, ServiceUnavailable, SetupError
from tests.engines.llamacpp.real_engine import (
    SMALL_MODEL,
    chat_ask,
    chat_text,
    engine_on,
    running,
)
from tests.engines.worker_life import LONG_S, alive, assert_dies_with_its_parent
from tests.model_home import model_file

if TYPE_CHECKING:
    from collections.abc import Iterator

    from linarite.engines.llamacpp.engine import LlamacppEngine

pytestmark = [pytest.mark.anyio, pytest.mark.real_model]

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


async def started(engine: LlamacppEngine) -> int:
    """Start an engine and return its process id."""
    await engine.start(lambda _share, _what: None)
    assert engine.pid is not None
    return engine.pid


async def test_the_start_tells_how_far_it_is(scratch: Path) -> None:
    """Shares grow from 0 to 1, each with words, and the model's name is among them."""
    told: list[tuple[float, str]] = []
    engine = engine_on(str(model_file(SMALL_MODEL)), scratch)
    await engine.start(lambda share, what: told.append((share, what)))
    await engine.stop(0)
    shares = [share for share, _ in told]
    assert (shares[0], shares[-1]) == (0.0, 1.0)
    assert shares == sorted(shares)
    assert "ready" in told[-1][1]


@on_linux
async def test_nothing_of_ours_is_open_to_others(
    scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process inherits no environment, listens on no port, and its socket is private."""
    monkeypatch.setenv("LINARITE_CANARY", "secret")
    async with running(scratch, environment={"GIVEN": "yes"}) as engine:
        seen = look_at(engine.pid or 0)
        modes = modes_in(scratch)
    assert b"CANARY" not in seen.environment
    assert b"GIVEN=yes" in seen.environment
    assert seen.sockets
    assert not seen.sockets & seen.on_the_network
    assert seen.core_bytes_max == "0"
    assert [mode & 0o077 for mode in modes] == [0]
    assert not modes_in(scratch)


class Seen(NamedTuple):
    """What the kernel tells of a process."""

    environment: bytes
    sockets: set[str]
    on_the_network: set[str]
    """of all processes"""
    core_bytes_max: str


def look_at(pid: int) -> Seen:
    """Read it all from /proc."""
    folder = Path("/proc", str(pid))
    links = list(links_in(folder / "fd"))
    tables = [(folder / "net" / name).read_text() for name in ("tcp", "tcp6", "udp", "udp6")]
    limits = (folder / "limits").read_text().splitlines()
    return Seen(
        (folder / "environ").read_bytes(),
        {link[len("socket:[") : -1] for link in links if link.startswith("socket:")},
        {line.split()[9] for table in tables for line in table.splitlines()[1:]},
        next(line.split()[4] for line in limits if line.startswith("Max core file size")),
    )


def links_in(folder: Path) -> Iterator[str]:
    """Where a process's descriptors lead; one that it closes while we look is left out."""
    for link in folder.iterdir():
        with suppress(FileNotFoundError):
            yield str(link.readlink())


def modes_in(folder: Path) -> list[int]:
    """Who may use what is in a folder."""
    return [stat.S_IMODE(entry.stat().st_mode) for entry in folder.iterdir()]


async def test_a_stopped_engine_leaves_nothing(scratch: Path) -> None:
    """The process is gone, stopping again does nothing, and no exit is reported."""
    engine = engine_on(str(model_file(SMALL_MODEL)), scratch)
    pid = await started(engine)
    exited = asyncio.ensure_future(engine.wait_exit())
    await engine.stop(0)
    await engine.stop(0)
    await asyncio.sleep(0)
    assert not alive(pid)
    assert not exited.done()
    exited.cancel()
    await asyncio.gather(exited, return_exceptions=True)
    with pytest.raises(ServiceUnavailable) as refused:
        await chat_text(engine, chat_ask("Hello"))
    assert "retry-after" in refused.value.headers


async def test_running_requests_may_finish_while_it_stops(scratch: Path) -> None:
    """New ones are refused meanwhile; beyond the grace the rest is broken off."""
    engine = engine_on(str(model_file(SMALL_MODEL)), scratch)
    await started(engine)
    finishing = engine.chat(chat_ask("Count.", max_tokens=40, stream=True, temperature=0))
    await anext(finishing)
    stopping = asyncio.ensure_future(engine.stop(LONG_S))
    await asyncio.sleep(0)
    with pytest.raises(ServiceUnavailable):
        await chat_text(engine, chat_ask("Hello"))
    rest = [event async for event in finishing]
    assert rest[-1].usage is not None
    await stopping


async def test_requests_beyond_the_grace_are_broken_off(scratch: Path) -> None:
    """Their readers hear of it."""
    engine = engine_on(str(model_file(SMALL_MODEL)), scratch)
    pid = await started(engine)
    events = engine.chat(chat_ask("Count.", stream=True, logit_bias={"2": -100}))
    await anext(events)
    await engine.stop(0)
    with pytest.raises(EngineFailed):
        async for _ in events:
            pass
    assert not alive(pid)


async def test_a_killed_process_is_reported(scratch: Path) -> None:
    """wait_exit names the signal; a stream that had begun fails, a new request is to be retried."""
    engine = engine_on(str(model_file(SMALL_MODEL)), scratch)
    pid = await started(engine)
    try:
        events = engine.chat(chat_ask("Count.", stream=True, logit_bias={"2": -100}))
        await anext(events)
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(EngineFailed):
            async for _ in events:
                pass
        async with asyncio.timeout(LONG_S):
            assert "SIGKILL" in await engine.wait_exit()
        with pytest.raises(ServiceUnavailable):
            await chat_text(engine, chat_ask("Hello"))
    finally:
        await engine.stop(0)


async def test_a_process_that_no_longer_answers_is_killed(scratch: Path) -> None:
    """Several probes without an answer end it, and that is the reason given."""
    engine = engine_on(
        str(model_file(SMALL_MODEL)),
        scratch,
        probe_interval_s=0.05,
        probe_deadline_s=0.3,
        probe_failures_max=3,
    )
    pid = await started(engine)
    try:
        os.kill(pid, signal.SIGSTOP)
        async with asyncio.timeout(LONG_S):
            assert "3 health probes" in await engine.wait_exit()
        assert not alive(pid)
    finally:
        await engine.stop(0)


async def test_a_healthy_process_is_left_alone(scratch: Path) -> None:
    """Frequent probes beside requests do no harm."""
    async with running(scratch, probe_interval_s=0.01) as engine:
        exited = asyncio.ensure_future(engine.wait_exit())
        await chat_text(engine, chat_ask("Count.", max_tokens=60))
        assert not exited.done()
        exited.cancel()
        await asyncio.gather(exited, return_exceptions=True)


async def test_a_killed_parent_takes_the_process_along(scratch: Path) -> None:
    """However the gateway ends, no engine process stays behind."""
    await assert_dies_with_its_parent("llamacpp", model_file(SMALL_MODEL), scratch)


async def test_a_cancelled_start_leaves_nothing(scratch: Path) -> None:
    """Whoever no longer wants the engine need not clean up after it."""
    engine = engine_on(str(model_file(SMALL_MODEL)), scratch)
    starting = asyncio.ensure_future(engine.start(lambda _share, _what: None))
    async with asyncio.timeout(LONG_S):
        while engine.pid is None:  # noqa: ASYNC110 - the process is on its way
            await asyncio.sleep(0.01)
    pid = engine.pid
    starting.cancel()
    await asyncio.gather(starting, return_exceptions=True)
    assert not alive(pid)


@pytest.mark.parametrize(
    ("size", "reason"),
    [
        (0, "cut short"),
        (20_000, "cut short"),
        (3_000_000, "not within the file bounds"),
    ],
)
async def test_a_damaged_model_is_refused_with_the_reason(
    scratch: Path, tmp_path: Path, size: int, reason: str
) -> None:
    """Cut in its metadata or in its weights: a SetupError that says so, and no process left."""
    whole = model_file(SMALL_MODEL)
    damaged = tmp_path / "damaged.gguf"
    with whole.open("rb") as source:
        damaged.write_bytes(source.read(size))
    engine = engine_on(str(damaged), scratch)
    with pytest.raises(SetupError, match=reason) as refused:
        await engine.start(lambda _share, _what: None)
    assert "instances.test" in refused.value.message
    assert engine.pid is not None
    assert not alive(engine.pid)


async def test_what_is_no_model_is_refused(scratch: Path, tmp_path: Path) -> None:
    """Any other file, and none at all."""
    other = tmp_path / "other.gguf"
    other.write_bytes(b"PK\x03\x04" + bytes(1_000))
    for path, reason in ((str(other), "no GGUF file"), (str(tmp_path / "none"), "No such file")):
        with pytest.raises(SetupError, match=reason):
            await engine_on(path, scratch).start(lambda _share, _what: None)
    with pytest.raises(SetupError, match="needs a model file"):
        await engine_on(None, scratch).start(lambda _share, _what: None)


async def test_a_missing_library_is_told_with_its_remedy(
    scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine is an extra; who asks for it without it reads what to install."""
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    with pytest.raises(SetupError, match=r"pip install 'linarite\[llamacpp\]'"):
        await engine_on("/any/model.gguf", scratch).start(lambda _share, _what: None)


async def test_a_folder_too_long_for_a_socket_is_told(tmp_path: Path) -> None:
    """The kernel's own message would not say what to do."""
    folder = tmp_path / ("x" * 100)
    folder.mkdir()
    with pytest.raises(SetupError, match="TMPDIR"):
        await engine_on("/any/model.gguf", folder).start(lambda _share, _what: None)


async def test_loading_that_takes_too_long_is_ended(scratch: Path) -> None:
    """The message names the option."""
    engine = engine_on(str(model_file(SMALL_MODEL)), scratch, load_timeout_s=0.05)
    with pytest.raises(SetupError, match="load_timeout_s"):
        await engine.start(lambda _share, _what: None)
    assert engine.pid is not None
    assert not alive(engine.pid)


async def test_memory_can_be_bounded(scratch: Path) -> None:
    """Beyond the bound the start fails, with a reason, instead of the machine."""
    engine = engine_on(str(model_file(SMALL_MODEL)), scratch, address_space_mib=64)
    with pytest.raises(LinariteError, match=r"instances\.test"):
        await engine.start(lambda _share, _what: None)


@on_linux
async def test_the_engine_process_has_no_network(scratch: Path) -> None:
    """Having answered, it has sockets of this machine alone, and the kernel gives it no others."""
    async with running(scratch) as engine:
        assert await chat_text(engine, chat_ask("Hi", max_tokens=2))
        process = Path(f"/proc/{engine.pid}")
        links = [link.readlink() for link in (process / "fd").iterdir() if link.is_symlink()]
        inodes = {str(link)[8:-1] for link in links if str(link).startswith("socket:[")}
        unix = {line.split()[6] for line in (process / "net/unix").read_text().splitlines()}
        assert inodes, "it listens on a unix socket"
        assert inodes <= unix
        assert "Seccomp:\t2" in (process / "status").read_text()
