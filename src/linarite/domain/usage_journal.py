"""What is noted of a request while it is answered, so that its usage outlives the process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec

from linarite.domain.request_record import RequestRecord

if TYPE_CHECKING:
    from linarite.domain.usage import Usage

SERVER_DIED = "server_died"
"""how a request ended whose server was killed while it was answered"""
ANSWERED = 200


class BegunRequest(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Whose request it is and what serves it: the fields of its record that are known by then."""

    request_id: str
    started_at_ns: int
    account: str
    account_id: str
    deployment: str
    model: str
    model_version: str
    sku: str
    instance: str
    engine: str
    region: str
    operation: str
    method: str
    api_version: str
    streamed: bool
    caller_key: str
    object_id: str
    app_id: str
    issuer: str
    decided_by: str
    service_tier_asked: str
    service_tier: str
    spilled_from: str
    end_user: str
    project: str
    tags: str


class Progress(Protocol):
    """The note of one request. Neither method blocks, raises or waits for a disk."""

    def tell(self, usage: Usage) -> None:
        """So much has been produced; said before the client is told of it."""
        ...

    def finish(self, usage: Usage) -> None:
        """The whole answer has been produced; said before its last byte is sent."""
        ...


class UsageJournal(Protocol):
    """Notes requests while they are answered.

    A note goes when the request's record is kept. One whose record never came is made into a
    record at the next start.
    """

    def begin(self, request: BegunRequest) -> Progress:
        """Note a request before its client is told anything. Never blocks or raises."""
        ...


class _Nowhere:
    """Notes nothing."""

    def begin(self, request: BegunRequest) -> Progress:
        """Note nothing."""
        del request
        return self

    def tell(self, usage: Usage) -> None:
        """Note nothing."""

    def finish(self, usage: Usage) -> None:
        """Note nothing."""


NO_JOURNAL = _Nowhere()
NO_PROGRESS: Progress = NO_JOURNAL


def recovered(
    begun: BegunRequest, usage: Usage, *, finished: bool, cost_nano: int
) -> RequestRecord:
    """The record of a request whose own was lost with the process; times are not known."""
    heard, spoken = usage.prompt_tokens_details, usage.completion_tokens_details
    return RequestRecord(
        **msgspec.structs.asdict(begun),
        path="",
        status=ANSWERED,
        error_code="",
        client_request_id="",
        client_address="",
        user_agent="",
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
        cached_tokens=usage.cached_tokens,
        to_first_token_us=0,
        to_last_token_us=0,
        total_us=0,
        finish="completed" if finished else SERVER_DIED,
        reasoning_tokens=usage.reasoning_tokens,
        audio_prompt_tokens=heard.audio_tokens if heard else 0,
        audio_completion_tokens=spoken.audio_tokens if spoken else 0,
        cost_nano=cost_nano,
    )
