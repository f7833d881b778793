"""Batches: files of requests that are answered in the background, and the port of their results.

Source: learn.microsoft.com, "Getting started with Azure OpenAI batch deployments", and the v1
document.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol

import msgspec

from linarite.domain.principal import Principal
from linarite.domain.stored_object import StoredObject

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

BATCH = "batch"
"""the kind of stored object"""
OPEN = "open"
"""label of batches that have not ended"""
ENDED = "ended"

BatchStatus = Literal[
    "validating",
    "failed",
    "in_progress",
    "finalizing",
    "completed",
    "expired",
    "cancelling",
    "cancelled",
]
Outcome = Literal["completed", "failed", "expired", "cancelled"]
OUTCOMES: frozenset[BatchStatus] = frozenset(("completed", "failed", "expired", "cancelled"))
COMPLETION_WINDOW = "24h"
"""the only one that Azure knows"""


class BatchError(msgspec.Struct, frozen=True):
    """What is wrong with a batch, or with a line of its file."""

    code: str
    message: str
    param: str | None = None
    line: int | None = None
    """from 1; None where it is about all of the file"""


class Counts(msgspec.Struct, frozen=True):
    """How far a batch is: its lines, and the tokens that they used."""

    total: int = 0
    completed: int = 0
    failed: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """One batch as it stands. Times are seconds since the epoch; 0 for what has not happened."""

    id: str
    account_id: str
    created_at: int
    maker: Principal
    """who made it, for whom its lines are answered"""
    owner: str
    """whose object it is; "" for whoever holds a key of the account's own"""
    project: str = ""
    """the header OpenAI-Project that it was made with"""
    api_version: str = ""
    endpoint: str
    input_file_id: str
    status: BatchStatus = "validating"
    outcome: Outcome | None = None
    """how it ends, once that is settled"""
    metadata: dict[str, str] | None = None
    output_lives_s: int = 0
    """seconds until its files expire; 0: never"""
    errors: tuple[BatchError, ...] = ()
    deployment: str = ""
    """the one that its lines name, once they are read"""
    model: str = ""
    """what that one's answers call its model"""
    enqueued_tokens: int = 0
    """estimated, of all its prompts; held until it has ended"""
    counts: Counts = Counts()
    output_file_id: str = ""
    error_file_id: str = ""
    expires_at: int = 0
    in_progress_at: int = 0
    finalizing_at: int = 0
    cancelling_at: int = 0
    ended_at: int = 0

    @property
    def is_over(self) -> bool:
        """Nothing more happens to it."""
        return self.status in OUTCOMES

    def stored(self) -> StoredObject:
        """It as the store of objects keeps it."""
        return StoredObject(
            account_id=self.account_id,
            kind=BATCH,
            id=self.id,
            created_at=self.created_at,
            owner=self.owner,
            label=ENDED if self.is_over else OPEN,
            body=msgspec.to_builtins(self),
        )


def batch_of(kept: StoredObject) -> Batch:
    """The batch that an object of the store is."""
    return msgspec.convert(kept.body, Batch)


class LineResult(msgspec.Struct, frozen=True):
    """What became of one request of a batch."""

    place: int
    """of the request in its file, from 0, blank lines not counted"""
    failed: bool
    """whether it belongs to the file of errors"""
    text: bytes
    """its line of that file: JSON without a line break"""
    tokens: tuple[int, int, int, int] = (0, 0, 0, 0)
    """of the prompt, those of it found in a cache, of the answer, those of it not shown"""


class Done(msgspec.Struct):
    """What a log of results already has."""

    places: bytearray
    """1 for each request that has its result"""
    counts: Counts
    size: int = 0
    """bytes of it, about"""


class ResultLog(Protocol):
    """Keeps the results of accounts' batches while they run, one log a batch, under its id.

    A result that was added survives the death of the process.
    """

    async def done(self, name: str, total: int, account_id: str) -> Done:
        """What there is of a batch with `total` requests; makes the log fit to be added to.

        Raises ServiceUnavailable, as all that is async here.
        """
        ...

    def add(self, name: str, result: LineResult) -> None:
        """Keep one; quick enough to be called for each line. Raises ServiceUnavailable."""
        ...

    async def flush(self, name: str) -> None:
        """Have what was added survive a power cut too."""
        ...

    def lines(self, name: str, account_id: str, *, failed: bool) -> AsyncIterator[bytes]:
        """The lines of the one file or of the other, each with its line break, in pieces."""
        ...

    async def remove(self, name: str) -> None:
        """Forget all of a batch's."""
        ...

    async def names(self) -> Sequence[str]:
        """The batches that have a log."""
        ...


def added(counts: Counts, result: LineResult) -> Counts:
    """The counts with one more result."""
    prompt, cached, answer, hidden = result.tokens
    return Counts(
        counts.total,
        counts.completed + (not result.failed),
        counts.failed + result.failed,
        counts.input_tokens + prompt,
        counts.cached_tokens + cached,
        counts.output_tokens + answer,
        counts.reasoning_tokens + hidden,
    )


def shown(batch: Batch, counts: Counts) -> dict[str, Any]:
    """A batch as both dialects show it."""

    def at(outcome: Outcome) -> int | None:
        return batch.ended_at or None if batch.status == outcome else None

    return {
        "id": batch.id,
        "object": "batch",
        "endpoint": batch.endpoint,
        "model": batch.model or None,
        "errors": {"object": "list", "data": msgspec.to_builtins(batch.errors)}
        if batch.errors
        else None,
        "input_file_id": batch.input_file_id,
        "completion_window": COMPLETION_WINDOW,
        "status": batch.status,
        "output_file_id": batch.output_file_id or None,
        "error_file_id": batch.error_file_id or None,
        "created_at": batch.created_at,
        "in_progress_at": batch.in_progress_at or None,
        "expires_at": batch.expires_at,
        "finalizing_at": batch.finalizing_at or None,
        "completed_at": at("completed"),
        "failed_at": at("failed"),
        "expired_at": at("expired"),
        "cancelling_at": batch.cancelling_at or None,
        "cancelled_at": at("cancelled"),
        "request_counts": {
            "total": counts.total,
            "completed": counts.completed,
            "failed": counts.failed,
        },
        "usage": {
            "input_tokens": counts.input_tokens,
            "input_tokens_details": {"cached_tokens": counts.cached_tokens},
            "output_tokens": counts.output_tokens,
            "output_tokens_details": {"reasoning_tokens": counts.reasoning_tokens},
            "total_tokens": counts.input_tokens + counts.output_tokens,
        },
        "metadata": batch.metadata,
    }
