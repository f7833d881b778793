"""What every test shares: async tests run on asyncio, and no test is timed."""

from __future__ import annotations

import gc
import signal

import pytest
from hypothesis import HealthCheck, settings

# A shell that starts us in the background lets us ignore Ctrl-C, and what we start inherits that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

gc.disable()  # until all tests are collected: nothing of that is garbage
pytest_plugins = ["tests.default_trust", "tests.longest_first", "tests.model_home"]

# A busy machine makes an example slow, and that is no fault of the code.
settings.register_profile(
    "untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("untimed")


def pytest_collection_finish() -> None:
    """What was collected stays: the collector of garbage need not look through it after tests."""
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """The event loop of `@pytest.mark.anyio` tests and of async fixtures of every scope."""
    return "asyncio"
