"""Writing a JSON document that is known at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from linarite.dataplane.parts.replies import encode
from linarite.domain.quota import Price

if TYPE_CHECKING:
    from linarite.domain.facts import Deployment
    from linarite.domain.usage import Usage
    from linarite.web.asgi import HeaderList


class DocumentReply:
    """One document; never streamed."""

    streamed = False

    def __init__(self) -> None:
        """Start with nothing to say."""
        self.usage: Usage | None = None
        self.headers: HeaderList = []
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
        return encode(self._document)
