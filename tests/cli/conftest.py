"""What the tests of the command line share: one server with simulated models."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.serving import Server, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

SETTINGS = """
[[deployments]]
name = "slow"
model = "slow"

[[deployments]]
name = "gpt-4o"
model = "gpt-4o"

[[deployments]]
name = "vectors"
model = "vectors"

[instances.gpt-4o]
engine = "simulator"
options = { seed = 1 }

[instances.slow]
engine = "simulator"
options = { seed = 2, tokens_per_second = 5.0, reply_tokens = 1000 }

[instances.vectors]
engine = "simulator"
options = { operations = ["embeddings"] }
"""


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with a fast chat, one that takes minutes to answer, and embeddings."""
    yield from serving(tmp_path_factory.mktemp("home"), SETTINGS)
