"""Search services that mean ill."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from linarite.controls.egress import EgressDialer, EgressPolicy, PurposeHosts
from linarite.domain.data_source import SearchParameters
from linarite.domain.data_source_errors import DataSourceInvalid, SearchFailed
from linarite.domain.principal import Principal
from linarite.knowledge.asker import Asker
from linarite.knowledge.azure_search import AzureSearch, Query
from linarite.knowledge.options import SearchServiceSettings
from linarite.knowledge.search_services import SearchServices

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

pytestmark = pytest.mark.anyio
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n"
ASKER = Asker("a", Principal("Key", "key1"), None, "gpt", "")
HOSTS = PurposeHosts(named_hosts=frozenset(("127.0.0.1",)))


@asynccontextmanager
async def service(pieces: Sequence[bytes], pause_s: float) -> AsyncGenerator[str, None]:
    """What says pieces, with pauses; its address."""
    ended = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            await reader.readuntil(b"\r\n\r\n")
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(pause_s)
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
        ended.set()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        await ended.wait()


async def search(endpoint: str, declared: str = "") -> None:
    """One search; `declared` is the service that settings name, else the one that is asked."""
    dialer = EgressDialer(EgressPolicy(purposes={"data_source": HOSTS}))
    said = SearchParameters(
        endpoint=endpoint, index_name="x", authentication={"type": "api_key", "key": "k"}
    )
    services = SearchServices({"it": SearchServiceSettings(endpoint=declared or endpoint)})
    await AzureSearch(dialer, services, 0.5).search(ASKER, said, Query("q", None), 5)


async def test_an_answer_that_only_drips_has_an_end() -> None:
    """All of it must have come in time, not only its next byte."""
    began = time.monotonic()
    async with service([HEAD, *[b" "] * 12], 0.1) as endpoint:
        with pytest.raises(SearchFailed, match=r"data_sources\.search_s"):
            await search(endpoint)
    assert time.monotonic() - began < 3


@pytest.mark.parametrize("depth", [900, 100_000])
async def test_json_that_cannot_be_read_is_no_answer(depth: int) -> None:
    """However deep."""
    deep = b'{"value":' + b"[" * depth + b"]" * depth + b"}"
    async with service([HEAD + deep], 0) as endpoint:
        with pytest.raises(SearchFailed, match="no Azure AI Search service"):
            await search(endpoint)


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:1", "http://search.example"])
async def test_a_key_goes_over_tls_alone(endpoint: str) -> None:
    """Unless settings declare the service as it is."""
    with pytest.raises(DataSourceInvalid, match="URL scheme should be 'https'"):
        await search(endpoint, "http://127.0.0.1:2")
