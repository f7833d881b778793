"""Tests in separate hosts. Skipped where none can be made, with the cause."""

from __future__ import annotations

import pytest

from linarite.cli.netbed.namespaces import why_not


@pytest.fixture(scope="session", autouse=True)
def _hosts_can_be_made() -> None:
    """Skip all of them where this machine can't make any."""
    cause = why_not()
    if cause:
        pytest.skip(cause)
