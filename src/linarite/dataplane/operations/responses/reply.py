"""Writing a response: events of a stream, or the whole of it at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.dataplane.operations.responses.answer import encode
from linarite.dataplane.parts.documents import PiecesReply
from linarite.domain.quota import Price
from linarite.web.sse import STREAM_LINES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.dataplane.operations.responses.answer import Answer
    from linarite.domain.chat import ChatAsk
    from linarite.domain.facts import Deployment
    from linarite.domain.usage import Usage


class ResponseReply:
    """One answer; events come as the bytes that are sent."""

    status = 200
    lines = STREAM_LINES
    length: int | None = None
    headers: Sequence[tuple[bytes, bytes]] = ()

    def __init__(self, answer: Answer, most_tokens: int | None, *, streamed: bool) -> None:
        """`most_tokens`: what the ask lets be generated."""
        self.streamed = streamed
        self._answer = answer
        self._most_tokens = most_tokens

    @property
    def usage(self) -> Usage | None:
        """See Reply."""
        return self._answer.usage

    @property
    def guessed(self) -> bool:
        """See Reply."""
        return self._answer.guessed

    def price(self) -> Price:
        """See Reply."""
        return Price(self._answer.prompt_tokens, self._most_tokens, 1)

    @property
    def prompt(self) -> ChatAsk:
        """See CountablePrompt."""
        return self._answer.prompt

    def tell_prompt_tokens(self, count: int) -> None:
        """See CountablePrompt."""
        self._answer.prompt_tokens = count

    def tell_tier(self, tier: str) -> None:
        """See Reply."""
        self._answer.response["service_tier"] = tier

    def move_to(self, deployment: Deployment) -> None:
        """See Reply: the response tells the deployment that was called."""

    def frame(self, event: bytes) -> bytes:
        """Each as it is."""
        return event

    def end(self) -> bytes:
        """Nothing follows the last event."""
        return b""

    def add(self, event: bytes) -> None:
        """The answer has grown already."""

    def body(self) -> bytes:
        """The response."""
        return encode(self._answer.response)


class EventsReply(PiecesReply):
    """Events that were kept, as they are."""

    lines = STREAM_LINES
    length: int | None = None
    headers: Sequence[tuple[bytes, bytes]] = ()
