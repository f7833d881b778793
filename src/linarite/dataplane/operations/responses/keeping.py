"""What becomes of an answer beside being sent: it is kept, with its events or without."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from linarite.dataplane.operations.responses.answer import Answer
    from linarite.dataplane.operations.responses.preparing import Ready
    from linarite.responses import ConversationKeeper, ResponseKeeper


class Keeping:
    """Of an answer whose client waits for it: the response is kept when it is whole."""

    def __init__(self, responses: ResponseKeeper, conversations: ConversationKeeper) -> None:
        self._responses = responses
        self._conversations = conversations

    async def told(self, answer: Answer) -> bytes:
        """The events that nobody has been told yet, to be sent."""
        return b"".join(answer.taken())

    async def note_calls(self, answer: Answer, *, under_way: bool) -> None:
        """Calls that may change something begin, or have ended.

        Nothing is noted here: who waits for the answer sees that it broke off.
        """

    async def end(self, ask: Ready) -> None:
        """Keep the response, and with it what it adds to its conversation."""
        if ask.new is None:
            return
        made = self._responses.made(ask.new)
        said = said_in(ask)
        if ask.conversation is None or said is None:
            await self._responses.keep(made)
        else:
            await self._conversations.keep_with(ask.conversation, made, said)


def said_in(ask: Ready) -> list[dict[str, object]] | None:
    """What a conversation is to have of it; None of what failed."""
    response = ask.answer.response
    return None if response["status"] == "failed" else [*ask.said, *response["output"]]
