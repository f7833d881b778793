"""Tests in separate hosts. Skipped where none can be made, with the cause."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from linarite.cli.netbed.namespaces import why_not
from tests.netbed.sides import sides_standing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.netbed.sides import Sides


@pytest.fixture(scope="session", autouse=True)
def _hosts_can_be_made() -> None:
    """Skip all of them where this machine can't make any."""
    cause = why_not()
    if cause:
        pytest.skip(cause)


@pytest.fixture(scope="session")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sides]:
    """A server between three sides."""
    with sides_standing(tmp_path_factory.mktemp("sides")) as made:
        yield made


@pytest.fixture
def sides(standing: Sides) -> Iterator[Sides]:
    """The same, open to everybody again after each test."""
    yield standing
    standing.open_again()
