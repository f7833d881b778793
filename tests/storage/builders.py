"""Nouns for tests, with every field filled in."""

from __future__ import annotations

import time
from typing import Any

from linarite.domain.request_record import RequestRecord
from linarite.domain.resource import Resource

ACCOUNT_TYPE = "Microsoft.CognitiveServices/accounts"
DEPLOYMENT_TYPE = "Microsoft.CognitiveServices/accounts/deployments"


def make_record(request_id: str = "request-1", **changed: object) -> RequestRecord:
    """A record of a chat that went well, but for what is `changed`."""
    fields: dict[str, Any] = {
        "request_id": request_id,
        "started_at_ns": time.time_ns(),
        "account": "contoso",
        "deployment": "chat",
        "model": "smollm2-135m-instruct",
        "operation": "ChatCompletions_Create",
        "method": "POST",
        "path": "/openai/deployments/chat/chat/completions",
        "api_version": "2024-10-21",
        "status": 200,
        "error_code": "",
        "streamed": True,
        "caller_key": "key1",
        "client_request_id": "",
        "client_address": "127.0.0.1",
        "user_agent": "AzureOpenAI/Python",
        "prompt_tokens": 12,
        "completion_tokens": 34,
        "cached_tokens": 4,
        "to_first_token_us": 100_000,
        "to_last_token_us": 430_000,
        "total_us": 431_000,
        "finish": "completed",
    }
    fields.update(changed)
    return RequestRecord(**fields)


def make_resource(
    resource_id: str, resource_type: str = ACCOUNT_TYPE, **properties: object
) -> Resource:
    """A resource whose name is the end of its id."""
    return Resource(
        id=resource_id,
        type=resource_type,
        name=resource_id.rsplit("/", 1)[-1],
        properties=properties,
    )
