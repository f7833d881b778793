"""LangChain's standard chat suite over the Responses API, against a simulated server."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.langchain.test_standard import TestAzureChatOpenAI as ChatSuite


@pytest.mark.anyio
@pytest.mark.filterwarnings("ignore:Received a Pydantic BaseModel V1 schema")  # the suite sends one
@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")  # LangChain's own `parsed`
@pytest.mark.usefixtures("_served")
class TestAzureChatOpenAIByResponses(ChatSuite):
    """`AzureChatOpenAI` with `use_responses_api`."""

    @property
    def chat_model_params(self) -> dict[str, Any]:
        """How an application would make it."""
        return super().chat_model_params | {
            "api_version": "2025-04-01-preview",
            "model": "gpt-4o",
            "use_responses_api": True,
        }
