"""Where requests go, and what authenticates them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from linarite.domain.engine import InstanceSpec
from linarite.domain.errors import SetupError
from linarite.engines.upstream.credentials import Credentials
from linarite.engines.upstream.endpoint import Endpoint
from linarite.engines.upstream.options import read_options

if TYPE_CHECKING:
    from pathlib import Path


class Clock:
    """Time that moves when told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Seconds."""
        return self.now


def endpoint_of(clock: Clock | None = None, **given: Any) -> tuple[Endpoint, Credentials]:  # noqa: ANN401 - as in a settings file
    """The endpoint of an instance whose model is `m 1`."""
    spec = InstanceSpec("up", "upstream", "m 1", options=given)
    options = read_options(spec)
    credentials = Credentials("up", options, clock or Clock())
    return Endpoint(spec, options, credentials), credentials


CHAT = "chat/completions"
DATED = "?api-version=2024-10-21"


@pytest.mark.parametrize(
    ("given", "path", "models_path", "model"),
    [
        ({"base_url": "http://a/v1"}, "/v1/chat/completions", "/v1/models", "m 1"),
        ({"base_url": "http://a/v1/", "model": "n"}, "/v1/chat/completions", "/v1/models", "n"),
        ({"base_url": "http://a"}, "/chat/completions", "/models", "m 1"),
        (
            {"base_url": "http://a", "kind": "azure"},
            f"/openai/deployments/m%201/chat/completions{DATED}",
            f"/openai/models{DATED}",
            None,
        ),
        (
            {"base_url": "http://a/openai/", "kind": "azure", "model": "d/../x"},
            f"/openai/deployments/d%2F..%2Fx/chat/completions{DATED}",
            f"/openai/models{DATED}",
            None,
        ),
        (
            {"base_url": "http://a", "kind": "azure_v1"},
            "/openai/v1/chat/completions",
            "/openai/v1/models",
            "m 1",
        ),
        (
            {"base_url": "http://a/acct/openai/v1/", "kind": "azure_v1"},
            "/acct/openai/v1/chat/completions",
            "/acct/openai/v1/models",
            "m 1",
        ),
    ],
)
def test_paths(given: dict[str, Any], path: str, models_path: str, model: str | None) -> None:
    """Each kind of endpoint has its paths, and the model's name in path or body."""
    endpoint, _ = endpoint_of(**given)
    assert endpoint.path(CHAT) == path
    assert endpoint.models_path == models_path
    assert endpoint.model == model


@pytest.mark.parametrize(
    "base_url",
    ["a.example", "http://k@a", "http://a?x", "http://a/v1/chat/completions", "ftp://a"],
)
def test_wrong_addresses(base_url: str) -> None:
    """An address that cannot be one is a set-up error naming the option."""
    with pytest.raises(SetupError, match=r"instances\.up\.options\.base_url"):
        endpoint_of(base_url=base_url)


@pytest.mark.parametrize(
    ("kind", "header"),
    [
        ("openai", ("authorization", "Bearer k")),
        ("azure", ("api-key", "k")),
        ("azure_v1", ("api-key", "k")),
    ],
)
def test_keys(kind: str, header: tuple[str, str]) -> None:
    """OpenAI's kind takes a bearer, Azure's the api-key header; other headers go along."""
    extra = {"OpenAI-Project": "p"}
    endpoint, _ = endpoint_of(base_url="http://a", kind=kind, api_key="k", extra_headers=extra)
    headers = endpoint.headers()
    assert header in headers
    assert ("openai-project", "p") in headers
    assert endpoint.headers() is headers


def test_no_key() -> None:
    """Without key and token nothing authenticates us."""
    names = {name for name, _ in endpoint_of(base_url="http://a")[0].headers()}
    assert not names & {"authorization", "api-key"}


def test_a_renewed_token_is_used(tmp_path: Path) -> None:
    """The token is read again when its file changes, at most a second later."""
    file, clock = tmp_path / "token", Clock()
    file.write_text("one\n")
    endpoint, credentials = endpoint_of(
        clock, base_url="http://a", kind="azure", token_file=str(file)
    )
    credentials.check()
    assert ("authorization", "Bearer one") in endpoint.headers()
    (tmp_path / "new").write_text("two")
    (tmp_path / "new").replace(file)
    clock.now += 1
    assert ("authorization", "Bearer two") in endpoint.headers()


def test_a_token_can_be_looked_at_early(tmp_path: Path) -> None:
    """When the upstream refuses a token, the file may already hold the next one."""
    file = tmp_path / "token"
    file.write_text("one")
    _, credentials = endpoint_of(base_url="http://a", token_file=str(file))
    credentials.check()
    assert not credentials.renew()
    file.write_text("second")
    assert credentials.renew()
    assert credentials.header() == ("authorization", "Bearer second")


def test_a_vanished_token_file_leaves_the_token(tmp_path: Path) -> None:
    """A file in the middle of being replaced, or with rubbish in it, is no reason to forget."""
    file, clock = tmp_path / "token", Clock()
    file.write_text("one")
    _, credentials = endpoint_of(clock, base_url="http://a", token_file=str(file))
    credentials.check()
    file.unlink()
    assert not credentials.renew()
    file.write_text("two words")
    assert not credentials.renew()
    clock.now += 5
    assert credentials.header() == ("authorization", "Bearer one")


@pytest.mark.parametrize("content", [None, "", "two words", "\u00fc"])
def test_token_files_are_checked_at_start(tmp_path: Path, content: str | None) -> None:
    """A missing, empty or strange token file is a set-up error naming the option."""
    file = tmp_path / "token"
    if content is not None:
        file.write_text(content)
    _, credentials = endpoint_of(base_url="http://a", token_file=str(file))
    with pytest.raises(SetupError, match=r"instances\.up\.options\.token_file"):
        credentials.check()


def test_quoted_keys_are_hidden() -> None:
    """A text in which the upstream quotes our key is shown without it."""
    _, credentials = endpoint_of(base_url="http://a", api_key="sk-1")
    assert credentials.hide_in('{"message":"bad key sk-1"}') == '{"message":"bad key …"}'
