from __future__ import annotations

import asyncio
import os
import signal
import sys
from typing import TYPE_CHECKING

import pytest

from linarite.engines.child_process import ChildProcess, describe_exit, start_child

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.anyio

LONG_S = 60.0


class Heard:
    """What a child said."""

    def __init__(self) -> None:
        self.output: list[str] = []
        self.errors: list[str] = []


async def python(folder: Path, script: str, heard: Heard) -> ChildProcess:
    """Start a Python process that runs a script."""
    return await start_child(
        [sys.executable, "-c", script],
        environment={"PATH": os.defpath, "SAID": "yes"},
        folder=folder,
        on_output=heard.output.append,
        on_error_line=heard.errors.append,
    )


async def test_lines_are_heard_and_the_end_is_told(tmp_path: Path) -> None:
    """Both streams, whatever their bytes, the last line without its end, before `wait` returns."""
    heard = Heard()
    script = (
        "import os, sys; print('one'); print(os.environ['SAID'], os.getcwd());"
        "sys.stderr.buffer.write(b'bad \\xff byte\\nno end'); sys.exit(3)"
    )
    child = await python(tmp_path, script, heard)
    async with asyncio.timeout(LONG_S):
        code = await child.wait()
    assert code == 3
    assert heard.output == ["one", f"yes {tmp_path}"]
    assert heard.errors == ["bad \ufffd byte", "no end"]
    assert not child.running
    await child.end()


async def test_a_line_without_end_is_heard_in_pieces(tmp_path: Path) -> None:
    """Nothing a child writes fills our memory."""
    heard = Heard()
    child = await python(tmp_path, "print('x' * 20_000_000); print('then')", heard)
    async with asyncio.timeout(LONG_S):
        await child.wait()
    assert sum(map(len, heard.output[:-1])) == 20_000_000
    assert max(map(len, heard.output)) <= 4 * 1024 * 1024
    assert heard.output[-1] == "then"
    await child.end()


async def test_what_is_sent_arrives(tmp_path: Path) -> None:
    """Its input stays open until the child has ended; a dead one loses what is sent."""
    heard = Heard()
    child = await python(tmp_path, "print(input()[::-1])", heard)
    await child.send(b"abc")
    async with asyncio.timeout(LONG_S):
        await child.wait()
    assert heard.output == ["cba"]
    await child.send(b"nobody reads this")
    await child.end()


async def test_a_child_is_ended_whatever_it_does(tmp_path: Path) -> None:
    """It is asked first; one that does not listen is killed. Ending twice does no harm."""
    heard = Heard()
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);print(1, flush=True);"
    child = await python(tmp_path, deaf + "signal.pause()\nwhile True: signal.pause()", heard)
    async with asyncio.timeout(LONG_S):
        while not heard.output:  # noqa: ASYNC110 - the child tells when it is ready
            await asyncio.sleep(0.01)
        await child.end()
        assert await child.wait() == -signal.SIGKILL
    await child.end()


async def test_a_cancelled_end_kills(tmp_path: Path) -> None:
    """Whoever cannot wait for a child does not leave it running."""
    heard = Heard()
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);print(1, flush=True);"
    child = await python(tmp_path, deaf + "\nwhile True: signal.pause()", heard)
    async with asyncio.timeout(LONG_S):
        while not heard.output:  # noqa: ASYNC110 - the child tells when it is ready
            await asyncio.sleep(0.01)
        ending = asyncio.ensure_future(child.end())
        await asyncio.sleep(0.05)
        ending.cancel()
        await asyncio.gather(ending, return_exceptions=True)
        assert await child.wait() == -signal.SIGKILL
    await child.end()


async def test_what_cannot_be_started_is_told(tmp_path: Path) -> None:
    """The caller knows what to make of it."""
    with pytest.raises(OSError, match="nothing"):
        await start_child(
            [str(tmp_path / "nothing")],
            environment={},
            folder=tmp_path,
            on_output=print,
            on_error_line=print,
        )


@pytest.mark.parametrize(
    ("code", "words"),
    [(0, "exited with code 0"), (3, "exited with code 3"), (-9, "was ended by SIGKILL")],
)
def test_ends_in_words(code: int, words: str) -> None:
    """People know signals by name."""
    assert describe_exit(code) == words
    assert describe_exit(-200) == "was ended by signal 200"
