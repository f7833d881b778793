from __future__ import annotations

import asyncio
import os
import signal
import sys
from typing import TYPE_CHECKING

import pytest

from linarite.domain.errors import EngineFailed, ServiceUnavailable, SetupError
from tests.engines.openvino.real_engine import (
    SMALL_MODEL,
    chat_ask,
    chat_text,
    engine_on,
    running,
)
from tests.engines.worker_life import LONG_S, alive, assert_dies_with_its_parent
from tests.model_home import model_file

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.anyio, pytest.mark.real_model]


def suffixes(folder: Path) -> list[str]:
    """The kinds of files in a folder."""
    return [path.suffix for path in folder.iterdir()]


async def test_a_killed_process_is_reported(scratch: Path) -> None:
    """wait_exit names the signal; a stream that had begun fails, a new request is to be retried."""
    async with running(scratch) as engine:
        assert engine.pid is not None
        assert suffixes(scratch) == [".sock"]
        events = engine.chat(chat_ask("Count to a thousand.", stream=True, max_tokens=900))
        await anext(events)
        await anext(events)
        os.kill(engine.pid, signal.SIGKILL)
        with pytest.raises(EngineFailed):
            async for _ in events:
                pass
        async with asyncio.timeout(LONG_S):
            assert "SIGKILL" in await engine.wait_exit()
        with pytest.raises(ServiceUnavailable):
            await chat_text(engine, chat_ask("Hello"))
    assert not suffixes(scratch)


async def test_a_process_that_no_longer_answers_is_killed(scratch: Path) -> None:
    """Several probes without an answer end it; while it is busy, it answers."""
    watch = {"probe_interval_s": 0.05, "probe_deadline_s": 4.0, "probe_failures_max": 2}
    async with running(scratch, **watch) as engine:
        assert engine.pid is not None
        exited = asyncio.ensure_future(engine.wait_exit())
        await chat_text(engine, chat_ask("Count.", max_tokens=60))
        assert not exited.done()
        os.kill(engine.pid, signal.SIGSTOP)
        async with asyncio.timeout(LONG_S):
            assert "2 health probes" in await exited
        assert not alive(engine.pid)


async def test_running_requests_may_finish_while_it_stops(scratch: Path) -> None:
    """New ones are refused meanwhile."""
    engine = engine_on(str(model_file(SMALL_MODEL)), scratch)
    await engine.start(lambda _share, _what: None)
    finishing = engine.chat(chat_ask("Count.", max_tokens=40, stream=True))
    await anext(finishing)
    stopping = asyncio.ensure_future(engine.stop(LONG_S))
    await asyncio.sleep(0)
    with pytest.raises(ServiceUnavailable):
        await chat_text(engine, chat_ask("Hello"))
    rest = [event async for event in finishing]
    assert rest[-1].usage is not None
    await stopping
    assert engine.pid is not None
    assert not alive(engine.pid)


async def test_a_killed_parent_takes_the_process_along(scratch: Path) -> None:
    """However the gateway ends, no engine process stays behind."""
    await assert_dies_with_its_parent("openvino", model_file(SMALL_MODEL), scratch)


async def test_what_cannot_be_run_is_refused_with_the_reason(
    scratch: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No model, half of one, one of another architecture: a SetupError that says so."""
    other = tmp_path / "other.gguf"
    other.write_bytes(b"PK\x03\x04" + bytes(1_000))
    half = tmp_path / "half.gguf"
    with model_file(SMALL_MODEL).open("rb") as whole:
        half.write_bytes(whole.read(20_000))
    refusals = {
        str(other): "no GGUF file",
        str(half): "cut short",
        str(model_file("multilingual-e5-small")): "architecture is 'bert'",
        str(tmp_path / "none"): "No such file",
    }
    for path, reason in refusals.items():
        engine = engine_on(path, scratch)
        with pytest.raises(SetupError, match=reason) as refused:
            await engine.start(lambda _share, _what: None)
        assert "instances.test" in refused.value.message
        assert engine.pid is not None
        assert not alive(engine.pid)
    assert not suffixes(scratch)
    with pytest.raises(SetupError, match="needs a model file"):
        await engine_on(None, scratch).start(lambda _share, _what: None)
    monkeypatch.setitem(sys.modules, "openvino_genai", None)
    with pytest.raises(SetupError, match=r"pip install 'linarite\[openvino\]'"):
        await engine_on("/any/model.gguf", scratch).start(lambda _share, _what: None)
