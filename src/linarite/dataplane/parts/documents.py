"""Writing what is no model's answer: a JSON document, or the bytes of a file."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from linarite.dataplane.parts.replies import encode
from linarite.domain.quota import Price

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.dataplane.call import Call
    from linarite.domain.facts import Deployment, Facts
    from linarite.domain.usage import Usage
    from linarite.web.asgi import HeaderList

NOTHING = HTTPStatus.NO_CONTENT


class DocumentReply:
    """One document; never streamed."""

    streamed = False
    lines = b""
    length: int | None = None
    guessed = False

    def __init__(self, status: int = 200, headers: HeaderList | None = None) -> None:
        """Start with nothing to say; status 204 says nothing to its end."""
        self.status = status
        self.usage: Usage | None = None
        self.headers: HeaderList = headers or []
        self._document: dict[str, Any] = {}

    def price(self) -> Price:
        """Nothing: no model answers."""
        return Price(0)

    def move_to(self, deployment: Deployment) -> None:
        """See Reply: no deployment answers."""

    def tell_tier(self, tier: str) -> None:
        """See Reply: such answers do not tell it."""

    def frame(self, event: dict[str, Any]) -> bytes:
        """Not streamed: folded instead."""
        self.add(event)
        return b""

    def end(self) -> bytes:
        """What would close a stream: nothing."""
        return b""

    def add(self, event: dict[str, Any]) -> None:
        """Take the document."""
        self._document = event

    def body(self) -> bytes:
        """The plain answer."""
        return b"" if self.status == NOTHING else encode(self._document)


class OfOneObject:
    """What operations on one stored object have in common: their path says all that they ask."""

    reads_body = False

    def parse(self, call: Call, body: bytes, facts: Facts) -> Any:  # noqa: ANN401, ARG002 - the port's shape
        """Nothing to check before the object is looked for."""
        call.reply = DocumentReply()
        return call


def list_document(
    shown: Sequence[dict[str, Any]], *, more: bool, no_id: str | None = None
) -> dict[str, Any]:
    """A part of a list. `no_id` stands for the ids of an empty one: operations differ there."""
    return {
        "object": "list",
        "data": shown,
        "first_id": shown[0]["id"] if shown else no_id,
        "last_id": shown[-1]["id"] if shown else no_id,
        "has_more": more,
    }


class PiecesReply:
    """What lies there already, piece by piece as it is: a `Reply` once it has its own lines."""

    streamed = True
    status = 200
    usage: Usage | None = None
    guessed = False

    def price(self) -> Price:
        """Nothing: no model answers."""
        return Price(0)

    def move_to(self, deployment: Deployment) -> None:
        """See Reply: no deployment answers."""

    def tell_tier(self, tier: str) -> None:
        """See Reply: such answers do not tell it."""

    def frame(self, event: bytes) -> bytes:
        """Each piece as it is."""
        return event

    def end(self) -> bytes:
        """Nothing closes it."""
        return b""

    def add(self, event: bytes) -> None:
        """Never folded."""

    def body(self) -> bytes:
        """Never folded."""
        return b""


class BytesReply(PiecesReply):
    """A file's bytes as they are, for saving: no browser shows them as a page."""

    lines = (
        b"content-type: application/octet-stream\r\n"
        b"content-security-policy: default-src 'none'; sandbox\r\n"
    )

    def __init__(self, filename: str, size: int) -> None:
        """`size` in bytes is announced, so that a client notices what breaks off."""
        self.length = size
        disposition = f"attachment; filename*=UTF-8''{quote(filename, safe='')}"
        self.headers: HeaderList = [(b"content-disposition", disposition.encode())]
