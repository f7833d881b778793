"""What the official clients see when the connection ends under an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from openai import APIConnectionError

from tests.contract.sdk.conftest import client_of
from tests.serving import serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai import OpenAI
    from openai.types.chat import ChatCompletionUserMessageParam

    from tests.serving import Server

SETTINGS = """
[[deployments]]
name = "gpt-4o"
model = "gpt-4o"
instance = "faulty"

[instances.faulty]
engine = "simulator"
options = { faults_by_request = true, fault_after_chunks = 3 }
"""
DROPPED: ChatCompletionUserMessageParam = {"role": "user", "content": "[simulate drop] Hello"}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenAI]:
    """Of a server whose requests ask for their own faults."""
    server: Server
    for server in serving(tmp_path_factory.mktemp("dropped"), SETTINGS):
        with client_of(server, "v1") as made:
            yield made


def test_a_stream_ends_in_the_middle(client: OpenAI) -> None:
    """After the events that were there: no error event, no [DONE], no last chunk."""
    stream = client.chat.completions.create(model="gpt-4o", messages=[DROPPED], stream=True)
    told = [next(stream).id for _ in range(3)]
    with pytest.raises(APIConnectionError) as dropped:
        next(stream)
    assert "incomplete chunked read" in str(dropped.value.__cause__)
    assert len(set(told)) == 1


def test_a_plain_answer_never_begins(client: OpenAI) -> None:
    """The server serves on."""
    with pytest.raises(APIConnectionError):
        client.chat.completions.create(model="gpt-4o", messages=[DROPPED])
    fine = client.chat.completions.create(
        model="gpt-4o", messages=[{"role": "user", "content": "Hello"}], max_tokens=2
    )
    assert fine.choices[0].message.content
