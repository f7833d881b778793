"""What the tests of managing commands share: one server whose models are simulated."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.serving import SIMULATED, Server, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

ANY_MODEL = '\n[hosting]\nengine = "simulator"\n'


@pytest.fixture(scope="module")
def managed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of the module's own, on which any model can be deployed."""
    yield from serving(tmp_path_factory.mktemp("managed"), SIMULATED + ANY_MODEL)
