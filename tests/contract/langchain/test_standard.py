"""LangChain's standard integration suites, for both Azure classes, against a simulated server.

The suites' own tests are inherited; a test that is left out says why.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from langchain_openai import AzureChatOpenAI, AzureOpenAIEmbeddings
from langchain_tests.integration_tests import (
    ChatModelIntegrationTests,
    EmbeddingsIntegrationTests,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.contract.langchain.conftest import Clients
    from tests.serving import Server


@pytest.mark.anyio
@pytest.mark.filterwarnings("ignore:Received a Pydantic BaseModel V1 schema")  # the suite sends one
@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")  # LangChain's own `parsed`
@pytest.mark.usefixtures("_served")
class TestAzureChatOpenAI(ChatModelIntegrationTests):
    """`AzureChatOpenAI` on the dated dialect."""

    server: Server
    clients: Clients

    @pytest.fixture
    def _served(self, simulated_server: Server, clients: Clients) -> None:
        type(self).server = simulated_server
        type(self).clients = clients

    @pytest.fixture
    def model(self, request: pytest.FixtureRequest, _served: None) -> Any:  # noqa: ANN401 - overrides the suite's
        """The model under test, made once the server runs."""
        extra = getattr(request, "param", None) or {}
        return self.chat_model_class(**{**self.chat_model_params, **extra})

    @property
    def chat_model_class(self) -> type[AzureChatOpenAI]:
        """What is tested."""
        return AzureChatOpenAI

    @property
    def chat_model_params(self) -> dict[str, Any]:
        """How an application would make it."""
        return {
            "azure_deployment": "gpt-4o",
            "stream_usage": True,
            "azure_endpoint": self.server.endpoint,
            "api_key": self.server.key,
            "api_version": "2024-10-21",
            "max_retries": 0,
            "http_client": self.clients.http,
            "http_async_client": self.clients.http_async,
        }

    @property
    def supports_image_inputs(self) -> bool:
        """Nothing here sees."""
        return False

    @property
    def supports_json_mode(self) -> bool:
        """`response_format` of type json_object."""
        return True

    @property
    def structured_output_kwargs(self) -> dict[str, Any]:
        """As the service recommends."""
        return {"method": "json_schema"}


@pytest.mark.anyio
@pytest.mark.usefixtures("_served")
class TestAzureOpenAIEmbeddings(EmbeddingsIntegrationTests):
    """`AzureOpenAIEmbeddings`, which sends token arrays."""

    server: Server
    clients: Clients

    @pytest.fixture
    def _served(
        self,
        simulated_server: Server,
        clients: Clients,
        tokenizer_files: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        type(self).server = simulated_server
        type(self).clients = clients
        monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tokenizer_files))

    @pytest.fixture
    def model(self, _served: None) -> AzureOpenAIEmbeddings:
        """The model under test, made once the server runs."""
        return self.embeddings_class(**self.embedding_model_params)

    @property
    def embeddings_class(self) -> type[AzureOpenAIEmbeddings]:
        """What is tested."""
        return AzureOpenAIEmbeddings

    @property
    def embedding_model_params(self) -> dict[str, Any]:
        """How an application would make it."""
        return {
            "azure_deployment": "text-embedding-3-small",
            "model": "text-embedding-3-small",
            "azure_endpoint": self.server.endpoint,
            "api_key": self.server.key,
            "api_version": "2024-10-21",
            "max_retries": 0,
            "http_client": self.clients.http,
            "http_async_client": self.clients.http_async,
        }
