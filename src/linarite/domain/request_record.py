"""The one durable line that every call leaves, refusals included."""

from __future__ import annotations

from typing import Protocol

import msgspec


class RequestRecord(msgspec.Struct, frozen=True, gc=False):
    """Who called what, when, with which outcome. Never a prompt, a reply or a key.

    Times are nanoseconds since the epoch; durations are microseconds; unknown is 0 or "".
    """

    request_id: str
    """`apim-request-id` of the answer"""
    started_at_ns: int
    account: str
    deployment: str
    model: str
    operation: str
    """name of the operation, "" when no route matched"""
    method: str
    path: str
    """without the query"""
    api_version: str
    status: int
    """what was sent; 499 when the client left before an answer began"""
    error_code: str
    streamed: bool
    caller_key: str
    """key1, key2 or "" - a name, never the key"""
    client_request_id: str
    client_address: str
    user_agent: str
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    to_first_token_us: int
    to_last_token_us: int
    total_us: int
    finish: str
    """how it ended: completed, refused, client_left, failed, server_died"""
    region: str = ""
    """where it ran, as `x-ms-region` shows it; "" when no deployment was reached"""
    account_id: str = ""
    """the resource id of the account that was addressed; "" for none that there is"""
    object_id: str = ""
    """whose token it was; "" for keys"""
    app_id: str = ""
    issuer: str = ""
    token_id: str = ""
    decided_by: str = ""
    """id of the rule that let the caller pass, or not: a role assignment's; "" for keys"""
    refused_by: str = ""
    """the control that refused: `authentication`, `authorization`, `route`, `request`, …"""
    instance: str = ""
    engine: str = ""
    network_rule: str = ""
    """the rule over networks that let it in or refused it; "" where none was in force"""
    model_version: str = ""
    sku: str = ""
    """name of the deployment's SKU"""
    service_tier_asked: str = ""
    """what the request said; "" for nothing"""
    service_tier: str = ""
    """that served it: `default`, `priority`, `flex`, `batch`; "" where none did"""
    spilled_from: str = ""
    """the provisioned deployment that was called and had no room"""
    end_user: str = ""
    """`safety_identifier` or `user`, as the request told it"""
    project: str = ""
    tags: str = ""
    """of account, deployment and application key: a JSON object of texts; "" for none"""
    reasoning_tokens: int = 0
    """those of the completion's tokens that are not shown"""
    audio_prompt_tokens: int = 0
    audio_completion_tokens: int = 0
    limited_by: str = ""
    """the limit that refused it: scope, and what it counts"""
    cost_nano: int = 0
    """what it cost: billionths of the price book's currency; 0 where there is no price"""


class RequestLedger(Protocol):
    """Keeps request records. Adding is called on the hot path and never blocks or raises."""

    def add(self, record: RequestRecord) -> None:
        """Take a record; it is on disk within 200 ms. A request's second record is left out."""
        ...

    async def flush(self) -> None:
        """Return once everything added so far is on disk."""
        ...

    async def latest(self, limit: int, *, account: str = "") -> list[RequestRecord]:
        """The newest records first, of one account or of all."""
        ...

    async def find(self, request_id: str) -> RequestRecord | None:
        """The record of one `apim-request-id`."""
        ...

    async def close(self) -> None:
        """Flush and let go of the file. Adding afterwards is a programming error."""
        ...
