from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

import msgspec
import pytest

from linarite.domain.embedding import EmbeddingAsk
from linarite.domain.errors import EngineFailed, InvalidRequest, ServiceUnavailable
from tests.engines.simulator.builders import (
    calls,
    chat_ask,
    chat_text,
    collect,
    complete,
    on_jumping_clock,
    running,
    say,
    timed,
    tool,
)

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from linarite.domain.chat import ChatEvent

INNER = {"seed": 5, "time_to_first_token_ms": 400, "tokens_per_second": 20, "reply_tokens": 20}


def recording(folder: Path, **inner: object) -> dict[str, Any]:
    """Options that record what another engine answers."""
    wraps = {"engine": "simulator", "options": {**INNER, **inner}}
    return {"wraps": wraps, "record_folder": str(folder)}


def files(folder: Path) -> list[Path]:
    """Every file in a folder, hidden ones too."""
    return sorted(folder.iterdir())


def test_a_recorded_stream_is_replayed_event_for_event_at_its_pace(tmp_path: Path) -> None:
    """What the wrapped engine said comes again, at the recorded times or scaled ones."""
    ask = chat_ask("Tell me a story", stream=True)

    async def check() -> tuple[list[list[tuple[float, ChatEvent]]], list[ChatEvent]]:
        async with running(**recording(tmp_path)) as engine:
            recorded = await timed(engine.chat(ask))
        replayed = [recorded]
        for speed in (1, 4):
            options = {"replay_folder": str(tmp_path), "replay_speed": speed}
            async with running(**options) as engine:
                replayed.append(await timed(engine.chat(ask)))
        async with running(replay_folder=str(tmp_path), replay_speed=0) as engine:
            return replayed, await collect(engine.chat(ask))

    (recorded, same, faster), fast = on_jumping_clock(check())
    events = [event for _, event in recorded]
    assert len(events) > 10
    assert [event for _, event in same] == [event for _, event in faster] == fast == events
    assert [at for at, _ in same] == pytest.approx([at for at, _ in recorded], abs=0.002)
    assert [at * 4 for at, _ in faster] == pytest.approx([at for at, _ in recorded], abs=0.01)


@pytest.mark.anyio
async def test_every_operation_is_recorded_and_replayed(tmp_path: Path) -> None:
    """Calls, completions and vectors come back as they were."""
    weather = tool("get_weather", location={"type": "string"})
    chat = chat_ask("What is the weather in Rome?", tools=[weather])
    vectors = EmbeddingAsk(input=["one", "two"], dimensions=9)
    quick = {"time_to_first_token_ms": 0, "tokens_per_second": 0}
    async with running(**recording(tmp_path, **quick)) as engine:
        recorded = (
            await calls(engine, chat),
            await complete(engine, ["a", "b"], logprobs=2),
            await engine.embed(vectors),
        )
    assert len(files(tmp_path)) == 3
    async with running(replay_folder=str(tmp_path), replay_speed=0, seed=99) as engine:
        assert recorded == (
            await calls(engine, chat),
            await complete(engine, ["a", "b"], logprobs=2),
            await engine.embed(vectors),
        )


@pytest.mark.anyio
async def test_who_asks_and_how_does_not_matter_to_the_key(tmp_path: Path) -> None:
    """User, metadata, streaming and the deployment's name are not part of a request's key."""
    async with running(record_folder=str(tmp_path)) as engine:
        text = await say(engine, "Go", user="ann", metadata={"a": "b"}, model="dep-1")
    (file,) = files(tmp_path)
    assert "ann" not in file.read_text()
    async with running(replay_folder=str(tmp_path), seed=8) as engine:
        events = await collect(engine.chat(chat_ask("Go", stream=True, user="bob", model="dep-2")))
        assert chat_text(events) == text
        with pytest.raises(InvalidRequest):
            await say(engine, "Go", temperature=0.5)


@pytest.mark.anyio
async def test_an_unknown_request_is_told_how_to_record_it(tmp_path: Path) -> None:
    """The refusal names the missing file, the folder and the options to set."""
    async with running(replay_folder=str(tmp_path)) as engine:
        with pytest.raises(InvalidRequest) as refused:
            await say(engine, "Never asked")
    message = refused.value.message
    assert str(tmp_path) in message
    assert ".json" in message
    assert "record_folder" in message
    assert refused.value.code == "recording_not_found"


@pytest.mark.anyio
async def test_unknown_requests_go_to_the_wrapped_engine_if_there_is_one(tmp_path: Path) -> None:
    """One folder can be filled and used by the same instance."""
    options = recording(tmp_path, time_to_first_token_ms=0, tokens_per_second=0)
    async with running(**options, replay_folder=str(tmp_path)) as engine:
        first = await say(engine, "Go")
        assert len(files(tmp_path)) == 1
        assert await say(engine, "Go") == first


@pytest.mark.anyio
async def test_a_stream_is_not_replaced_by_an_answer_in_one_piece(tmp_path: Path) -> None:
    """The stream tells more; a newer stream does replace it."""
    async with running(record_folder=str(tmp_path)) as engine:
        await collect(engine.chat(chat_ask("Go", stream=True)))
        (file,) = files(tmp_path)
        streamed = file.read_bytes()
        await say(engine, "Go")
        assert file.read_bytes() == streamed
    events = msgspec.json.decode(streamed)["events"]
    assert len(events) > 10


@pytest.mark.anyio
async def test_incomplete_answers_leave_no_file(tmp_path: Path) -> None:
    """Refused, failed and abandoned requests are not recorded, and no part of a file is left."""
    folder = tmp_path / "new"
    inner = {"fault_script": ["cut_mid_stream", "503"], "time_to_first_token_ms": 0}
    async with running(**recording(folder, **inner)) as engine:
        with pytest.raises(EngineFailed):
            await collect(engine.chat(chat_ask("Go", stream=True)))
        with pytest.raises(ServiceUnavailable):
            await say(engine, "Go")
        events = engine.chat(chat_ask("Go", stream=True))
        async with aclosing(events):
            await anext(events)
    assert not folder.exists()


@pytest.mark.anyio
async def test_a_reader_that_stops_at_the_counts_has_the_whole_answer(tmp_path: Path) -> None:
    """Nothing follows the final counts, so the reader need not look for more."""
    async with running(record_folder=str(tmp_path)) as engine:
        events = engine.chat(chat_ask("Go", stream=True))
        async with aclosing(events):
            async for event in events:
                if not event.choices:
                    break
    assert len(files(tmp_path)) == 1


@pytest.mark.anyio
async def test_recordings_hold_no_credentials(tmp_path: Path) -> None:
    """The keys that `data_sources` carry are left out of the file."""
    source = {
        "type": "azure_search",
        "parameters": {
            "index_name": "docs",
            "authentication": {"type": "api_key", "key": "s3cret"},
            "embedding_dependency": {"authentication": {"key": "s3cret"}},
        },
    }
    async with running(record_folder=str(tmp_path)) as engine:
        await say(engine, "Go", data_sources=[source])
    (file,) = files(tmp_path)
    assert "s3cret" not in file.read_text()
    assert "docs" in file.read_text()


@pytest.mark.anyio
async def test_recordings_can_be_reviewed_and_edited(tmp_path: Path) -> None:
    """One event stands on each line, and an edited file is what is answered."""
    async with running(record_folder=str(tmp_path)) as engine:
        text = await say(engine, "Go", max_tokens=5)
    (file,) = files(tmp_path)
    lines = file.read_text().splitlines()
    events = lines[lines.index('  "events": [') + 1 : lines.index("  ],")]
    assert [list(msgspec.json.decode(line.rstrip(","))[1]) for line in events] == [
        ["choices"],
        ["usage"],
    ]
    assert '  "operation": "chat",' in lines
    file.write_text(file.read_text().replace(text, "An edited answer."))
    async with running(replay_folder=str(tmp_path)) as engine:
        assert await say(engine, "Go", max_tokens=5) == "An edited answer."


@pytest.mark.anyio
@pytest.mark.parametrize("spoiled", [b"{", b'{"format": 1}', None])
async def test_a_spoiled_file_is_named(tmp_path: Path, spoiled: bytes | None) -> None:
    """A recording that can't be read fails the request and says which file it is."""
    async with running(record_folder=str(tmp_path)) as engine:
        await say(engine, "Go")
    (file,) = files(tmp_path)
    newer = file.read_bytes().replace(b'"format": 1', b'"format": 2')
    await asyncio.to_thread(file.write_bytes, newer if spoiled is None else spoiled)
    async with running(replay_folder=str(tmp_path)) as engine:
        with pytest.raises(EngineFailed, match=file.name):
            await say(engine, "Go")


@pytest.mark.anyio
async def test_a_folder_that_cannot_be_written_is_not_overlooked(tmp_path: Path) -> None:
    """A recording that is silently missing helps nobody."""
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    async with running(record_folder=str(blocked)) as engine:
        with pytest.raises(EngineFailed, match="record_folder"):
            await say(engine, "Go")


@pytest.mark.anyio
async def test_faults_strike_a_wrapped_engine_too(tmp_path: Path) -> None:
    """A real engine can be tried with throttling in front of it."""
    wraps = {"engine": "simulator", "model": "inner", "options": {"reply_tokens": 4}}
    async with running(wraps=wraps, fault_script=["429"]) as engine:
        with pytest.raises(Exception, match="token rate limit"):
            await say(engine, "Go")
        assert await say(engine, "Go")
    assert files(tmp_path) == []
