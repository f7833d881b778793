"""Stored chat completions of a server that dies, and of one that is told to keep few."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from openai import BadRequestError

from tests.contract.sdk.conftest import client_of
from tests.contract.sdk.test_stored_completions import SAID, answered
from tests.serving import SIMULATED, start_server, stopped

if TYPE_CHECKING:
    from pathlib import Path


def test_what_was_acknowledged_survives(tmp_path: Path) -> None:
    """A server that is killed as soon as it has answered has stored the answer."""
    server = start_server(tmp_path, SIMULATED)
    with client_of(server, "v1") as client:
        plain = answered(client).id
        stream_id = ""
        for chunk in client.chat.completions.create(
            model="gpt-4o", messages=SAID, store=True, stream=True
        ):
            stream_id = chunk.id or stream_id
        server.kill()
    with stopped(start_server(tmp_path, SIMULATED)) as again, client_of(again, "v1") as client:
        assert [each.id for each in client.chat.completions.list()] == [plain, stream_id]


@pytest.mark.parametrize(("bytes_max", "words"), [(0, "keeps none"), (1500, "as much as it may")])
def test_settings_bound_them(tmp_path: Path, bytes_max: int, words: str) -> None:
    """None at all, or so many bytes: the next one is refused before a model is asked."""
    settings = f"{SIMULATED}\n[stored_completions]\nbytes_max = {bytes_max}\n"
    with stopped(start_server(tmp_path, settings)) as server, client_of(server, "v1") as client:
        if bytes_max:
            answered(client)
        with pytest.raises(BadRequestError, match=words):
            _ = [answered(client) for _ in range(4)]
        for each in client.chat.completions.list():
            client.chat.completions.delete(each.id)
        if bytes_max:
            assert answered(client).id
