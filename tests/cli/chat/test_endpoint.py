from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec
import pytest

from linarite.cli.chat.endpoint import Asked, choose_endpoint, named_endpoint
from linarite.cli.serving_file import ServedDeployment, ServingFile, write_serving_file
from linarite.domain.errors import LinariteError, SetupError

if TYPE_CHECKING:
    from pathlib import Path

CHAT = "chat/completions"


@pytest.mark.parametrize(
    ("url", "path"),
    [
        (
            "https://x.openai.azure.com",
            "/openai/deployments/d/chat/completions?api-version=2024-10-21",
        ),
        (
            "https://x.openai.azure.com/openai/",
            "/openai/deployments/d/chat/completions?api-version=2024-10-21",
        ),
        (
            "https://gateway/team/openai/deployments/other/chat/completions?api-version=2025-01-01",
            "/team/openai/deployments/d/chat/completions?api-version=2025-01-01",
        ),
        ("https://x.openai.azure.com/openai/v1/", "/openai/v1/chat/completions"),
        ("http://localhost:8000/v1", "/v1/chat/completions"),
        ("http://localhost:8000/v1/chat/completions", "/v1/chat/completions"),
        ("http://localhost/a/v1/", "/a/v1/chat/completions"),
    ],
)
def test_a_url_is_understood_however_it_is_copied(url: str, path: str) -> None:
    """Bases and full addresses lead to the path that takes chats."""
    endpoint = named_endpoint(url, Asked(deployment="d"))
    assert endpoint.chat_path(endpoint.deployment or "") == path


def test_a_full_address_names_its_deployment() -> None:
    """The deployment of a copied address is used when none was typed."""
    url = "https://x.openai.azure.com/openai/deployments/my%20gpt/chat/completions"
    endpoint = named_endpoint(url, Asked())
    assert endpoint.deployment == "my gpt"
    assert endpoint.chat_path("my gpt").startswith("/openai/deployments/my%20gpt/chat")


def test_azure_needs_a_deployment() -> None:
    """Without one the message says how to name it, and how OpenAI's protocol is recognised."""
    with pytest.raises(SetupError, match="linarite chat DEPLOYMENT"):
        named_endpoint("https://x.openai.azure.com", Asked())


@pytest.mark.parametrize("url", ["", "localhost:80", "http://u:p@h/v1", "file:///etc/passwd"])
def test_what_is_no_address_is_refused(url: str) -> None:
    """Only plain http and https addresses are called."""
    with pytest.raises(LinariteError, match="A URL must look like"):
        named_endpoint(url, Asked(deployment="d"))


def test_keys_are_not_in_text_forms() -> None:
    """What may end up in a log hides the key."""
    asked = Asked(deployment="d", key="s3cret")
    assert "s3cret" not in repr(asked)
    assert "s3cret" not in repr(named_endpoint("http://localhost/v1", asked))


def served(name: str, state: str, *operations: str) -> ServedDeployment:
    """A deployment of a running server."""
    return ServedDeployment(name, name, state, "", list(operations))


@pytest.mark.parametrize(
    ("deployments", "chosen"),
    [
        ([served("a", "Ready", CHAT), served("b", "Ready", CHAT), served("e", "Ready")], "b"),
        ([served("a", "Ready", CHAT), served("b", "Failed", CHAT)], "a"),
        ([served("e", "Ready", "embeddings"), served("lazy", "NotStarted")], "lazy"),
        ([served("e", "Ready", "embeddings"), served("b", "Failed")], None),
        ([], None),
    ],
)
def test_the_running_server_s_largest_chat_is_the_default(
    tmp_path: Path, deployments: list[ServedDeployment], chosen: str | None
) -> None:
    """The last ready one, else one that starts when it is used, else the states are told."""
    content = ServingFile(
        endpoint="http://127.0.0.1:1",
        openai_v1="",
        api_key="own-key",
        api_version="2024-06-01",
        deployments=deployments,
        ca_file=None,
        pid=os.getpid(),
        home=str(tmp_path),
        started_at="",
    )
    write_serving_file(tmp_path / "serving.json", content)
    if chosen is None:
        with pytest.raises(SetupError, match="no chat deployment that is ready"):
            choose_endpoint(Asked(), lambda: tmp_path)
        return
    endpoint = choose_endpoint(Asked(), lambda: tmp_path)
    assert (endpoint.deployment, endpoint.key) == (chosen, "own-key")
    assert endpoint.api_version == "2024-06-01"
    other = choose_endpoint(Asked(deployment="x", endpoint="http://h/v1"), lambda: tmp_path)
    assert msgspec.structs.asdict(other)["key"] is None
