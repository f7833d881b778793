from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec
import pytest

from linarite.cli.chat.endpoint import Asked, choose_endpoint, named_endpoint, read_key
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


def test_a_key_is_read_from_where_it_was_said_to_be(tmp_path: Path) -> None:
    """As typed, from a named variable, or from a file whose line end is no part of it."""
    file = tmp_path / "key"
    file.write_text("from-file\n")
    variables = {"NAME": "from-variable"}
    assert read_key(None, None, variables.get) is None
    assert read_key("typed", None, variables.get) == "typed"
    assert read_key("env:NAME", None, variables.get) == "from-variable"
    assert read_key(None, file, variables.get) == "from-file"


@pytest.mark.parametrize(
    ("key", "file", "told"),
    [
        ("env:OTHER", None, "variable OTHER, but it is not set"),
        ("env:EMPTY", None, "can't be a key"),
        ("two\nlines", None, "can't be a key"),
        (None, "missing", "key file .*missing can't be read"),
        ("typed", "missing", "exclude each other"),
    ],
)
def test_what_is_no_key_is_refused(
    tmp_path: Path, key: str | None, file: str | None, told: str
) -> None:
    """The message says where the key was looked for, and does not repeat what was there."""
    path = tmp_path / file if file else None
    with pytest.raises(SetupError, match=told) as refusal:
        read_key(key, path, {"EMPTY": " "}.get)
    assert "two" not in refusal.value.message
