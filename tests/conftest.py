"""What every test shares: async tests run on asyncio."""

from __future__ import annotations

import pytest

pytest_plugins = ["tests.model_home"]

pytest_plugins = ["tests.model_home"]


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """The event loop of `@pytest.mark.anyio` tests and of async fixtures of every scope."""
    return "asyncio"
