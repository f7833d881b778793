"""Both official clients with the key of one application."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import openai
import pytest
from openai import AzureOpenAI, OpenAI

from linarite.domain.application_key import APPLICATION_KEY_TYPE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contract.sdk.conftest import Target

HELLO: Any = [{"role": "user", "content": "Say hello."}]
VERSION = {"api-version": "2026-07-01"}


class Given:
    """An application's key on a server, as its management sees it."""

    def __init__(self, target: Target, name: str) -> None:
        ready = target.server.ready
        self.endpoint = target.server.endpoint
        self.path = f"{ready['account_id']}/providers/{APPLICATION_KEY_TYPE}/{name}"
        self.management = {"authorization": f"Bearer {ready['management_key']}"}

    def ask(self, method: str, suffix: str = "", **properties: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
        """A request about it; its properties afterwards."""
        answer = httpx.request(
            method,
            f"{self.endpoint}{self.path}{suffix}",
            params=VERSION,
            headers=self.management,
            json={"properties": properties},
        )
        assert answer.is_success, answer.text
        told: dict[str, Any] = answer.json()["properties"]
        return told

    def client(self, dialect: str, key: str) -> OpenAI:
        """An official client that holds the key."""
        if dialect == "dated":
            return AzureOpenAI(
                azure_endpoint=self.endpoint,
                api_key=key,
                api_version="2024-10-21",
                max_retries=0,
                _strict_response_validation=True,
            )
        return OpenAI(
            base_url=f"{self.endpoint}/openai/v1/",
            api_key=key,
            max_retries=0,
            _strict_response_validation=True,
        )


@pytest.fixture(params=["dated", "v1"])
def dialect(request: pytest.FixtureRequest) -> Iterator[str]:
    """Each way that clients speak."""
    return request.param


def test_a_client_works_with_an_applications_key(simulated: Target, dialect: str) -> None:
    """Plain and streamed; what the key is not for is a 401, and so is a key that was replaced."""
    given = Given(simulated, f"sdk-{dialect}")
    key = given.ask("PUT", deployments=[simulated.chat])["key"]
    with given.client(dialect, key) as client:
        answer = client.chat.completions.create(model=simulated.chat, messages=HELLO)
        assert answer.choices[0].message.content
        pieces = client.chat.completions.create(model=simulated.chat, messages=HELLO, stream=True)
        assert [piece for piece in pieces if piece.choices]
        with pytest.raises(openai.AuthenticationError) as refused:
            client.embeddings.create(model=simulated.vectors, input="hello")
        assert refused.value.code == "PermissionDenied"
        new = given.ask("POST", "/regenerate")["key"]
        with pytest.raises(openai.AuthenticationError):
            client.chat.completions.create(model=simulated.chat, messages=HELLO)
    with given.client(dialect, new) as client:
        assert client.chat.completions.create(model=simulated.chat, messages=HELLO).usage
        given.ask("PATCH", enabled=False)
        with pytest.raises(openai.AuthenticationError) as ended:
            client.chat.completions.create(model=simulated.chat, messages=HELLO)
    assert "KeyDisabled" in str(ended.value.body)
