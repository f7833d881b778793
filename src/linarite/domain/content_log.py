"""Prompts and completions of accounts that want them kept, and the port that keeps them sealed.

Nothing of the kind is on Azure, where customers put a gateway in front for it. Of accounts that
do not ask for it nothing is kept.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from linarite.domain.request_record import RequestRecord

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.domain.held_data import Held
    from linarite.domain.resource import Resource, ResourceStore

CONTENT_LOGGING_TYPE = "Linarite.Operations/contentLogging"
CONTENT_RECORD_TYPE = "Linarite.Operations/contentRecords"
READS_CONTENT = f"{CONTENT_RECORD_TYPE}/read/action"
"""the data action that a role must grant"""
DEFAULT = "default"
"""the one name that an account's switch has"""
KEPT_DAYS = 30
DAY_S = 86_400


class ContentLogging(msgspec.Struct, frozen=True):
    """That an account wants content kept, and for how long."""

    retention_days: int = KEPT_DAYS


def content_logging(resource: Resource | None) -> ContentLogging | None:
    """What an account's switch says; None where there is none, or it is off."""
    if resource is None or resource.properties.get("state") != "Enabled":
        return None
    return ContentLogging(int(resource.properties.get("retentionDays") or KEPT_DAYS))


async def logging_of(resources: ResourceStore, account_id: str) -> ContentLogging | None:
    """What an account's switch says."""
    switch = f"{account_id}/providers/{CONTENT_LOGGING_TYPE}/{DEFAULT}"
    return content_logging(await resources.get(switch))


def no_answer() -> bytes:
    """Nothing was answered."""
    return b""


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """What one request asked and was answered, in the clear: for memory alone."""

    record: RequestRecord
    retention_days: int
    asked: bytes
    """the request's body"""
    answer: Callable[[], bytes] = no_answer
    """makes the body of the answer, a stream folded into one; to be called once, by any thread"""
    error: bytes = b""
    """the body of the error, where it ended with one"""
    size: int
    """about how many bytes all of it has"""

    def __repr__(self) -> str:
        """Hide the content."""
        return f"Content({self.record.request_id})"


class ContentSink(Protocol):
    """Takes content from the data path."""

    def add(self, content: Content) -> None:
        """Have it kept. Never blocks, never raises."""
        ...


class NoContentLog:
    """Keeps nothing."""

    def add(self, content: Content) -> None:
        """Forget it."""
        del content


NO_CONTENT_LOG = NoContentLog()


class SealedContent(msgspec.Struct, frozen=True, kw_only=True):
    """Content at rest: what is known about it, and the rest sealed under its account's key."""

    account_id: str
    request_id: str
    """ids sort as requests came"""
    at: int
    """when it was asked: seconds since the epoch"""
    expires_at: int
    deployment: str
    operation: str
    status: int
    sealed: str

    @property
    def name(self) -> str:
        """What it is sealed for: it opens under no other request's id."""
        return sealed_name(self.request_id)


def sealed_name(request_id: str) -> str:
    """The name under which a request's content is sealed."""
    return f"content/{request_id}"


class ContentPage(msgspec.Struct, frozen=True, kw_only=True):
    """Which part of an account's content is wanted, the newest first."""

    limit: int
    before: str = ""
    """id of a request: only those that came before it"""
    deployment: str = ""
    """compared without case"""
    alive_at: int = 0
    """seconds since the epoch: what has expired by then is left out"""


class ContentStore(Protocol):
    """Keeps sealed content. What a call has written or removed is on disk when it returns.

    Accounts' ids are compared without case. All raise ServiceUnavailable when it can't be used.
    """

    async def add(self, contents: Sequence[SealedContent]) -> None:
        """Keep new ones; one whose account and id are known already is left as it is."""
        ...

    async def find(self, account_id: str, request_id: str) -> SealedContent | None:
        """One; None for an absent one as for another account's."""
        ...

    async def list(self, account_id: str, page: ContentPage) -> list[SealedContent]:
        """What is known about an account's, without what is sealed."""
        ...

    async def held(self, account_id: str) -> list[Held]:
        """How much there is of an account; nothing where there is none."""
        ...

    async def accounts(self) -> set[str]:
        """Lower-cased ids of the accounts that have any."""
        ...

    async def remove(self, account_id: str, *, expired_at: int, before: int = 0) -> int:
        """Forget what of an account's expires by then, and what was asked before; how many."""
        ...

    async def remove_beyond(self, bytes_max: int) -> dict[str, int]:
        """Forget the oldest of all accounts until the rest has so many bytes; how many of whose."""
        ...


class ContentLog(Protocol):
    """What the control plane reads of it."""

    async def list(self, account_id: str, page: ContentPage) -> list[SealedContent]:
        """As ContentStore."""
        ...

    async def read(self, account_id: str, request_id: str) -> dict[str, Any] | None:
        """What was asked and answered; None for an absent or expired one as for another account's.

        Raises CustomerKeyUnavailable.
        """
        ...


class NothingKept:
    """Of a server without a content log."""

    async def list(self, account_id: str, page: ContentPage) -> list[SealedContent]:
        """None."""
        del account_id, page
        return []

    async def read(self, account_id: str, request_id: str) -> dict[str, Any] | None:
        """None."""
        del account_id, request_id


NOTHING_KEPT = NothingKept()


class ContentAccess(msgspec.Struct, frozen=True):
    """A server's content log, and what its settings let accounts say about it."""

    log: ContentLog = NOTHING_KEPT
    allowed: bool = True
    days_max: int = 365
