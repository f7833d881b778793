"""Chats in which functions can be called, whichever engine generates.

The reply is generated as text and the calls are found in it, or it can be nothing but a call.
"""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

from linarite.engines.text_chat.messages import template_messages, with_instruction
from linarite.engines.text_chat.tally import Counted
from linarite.engines.text_chat.told_calls import answered_calls
from linarite.engines.text_chat.tool_reply import ToolReply
from linarite.engines.text_chat.toolbox import instruction, known_call

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Collection

    from linarite.domain.chat import ChatAsk, ChatEvent
    from linarite.engines.text_chat.tally import Tally
    from linarite.engines.text_chat.tool_reply import Piece
    from linarite.engines.text_chat.toolbox import Toolbox
    from linarite.engines.worker_process.options import WorkerOptions


class Written(Counted, Protocol):
    """A reply, its counts and what is known of it, as far as its steps have come."""

    @property
    def thinking(self) -> bool:
        """Its prompt ends with the beginning of a thought. Known with the first step."""
        ...

    @property
    def finish(self) -> Literal["stop", "length"]:
        """How it ended."""
        ...


class Attempt(NamedTuple):
    """A reply that is not begun yet."""

    generation: Written
    steps: AsyncGenerator[Piece, None]


class ToolPrompt(Protocol):
    """What an engine has made of a chat that offers functions."""

    @property
    def opening(self) -> str:
        """How every reply begins: the end of the prompt."""
        ...

    @property
    def strict(self) -> Collection[str]:
        """The functions that may be called whose arguments must follow their schema."""
        ...

    def reply(self, index: int) -> Attempt:
        """The reply of one choice."""
        ...

    def arguments(self, index: int, name: str, opening: str, tokens_max: int | None) -> Attempt:
        """Arguments of a strict function, held to their schema, in a reply that begins so."""
        ...


class PlainReplies(Protocol):
    """The same chat, with nothing to call."""

    def choice(self, index: int, *, begun: bool) -> AsyncGenerator[ChatEvent, None]:
        """Generate one choice; `begun` when its role has been told."""
        ...


class Offer(NamedTuple):
    """A chat, and the functions it offers, as a template takes them."""

    messages: list[dict[str, Any]]
    tools: list[dict[str, Any]] | None
    """None: the template does not know any, the messages tell about them"""


def offer_of(ask: ChatAsk, toolbox: Toolbox, *, knows_tools: bool, knows_calls: bool) -> Offer:
    """Tell a model what it can call, as far as its template knows how. Raises InvalidRequest."""
    messages = template_messages(ask.messages, calls="template" if knows_calls else "tags")
    if knows_tools:
        return Offer(messages, toolbox.as_tools())
    return Offer(with_instruction(messages, instruction(toolbox)), None)


class ToolChat:
    """A chat whose replies are text or calls."""

    def __init__(
        self,
        ask: ChatAsk,
        toolbox: Toolbox,
        prompt: ToolPrompt,
        tally: Tally,
        plain: PlainReplies,
        options: WorkerOptions,
    ) -> None:
        """`plain` answers when the model calls what does not exist."""
        self._ask = ask
        self._toolbox = toolbox
        self._prompt = prompt
        self._tally = tally
        self._plain = plain
        self._answered = answered_calls(ask.messages) if options.repeated_calls_answered else []
        """calls that are not to be made again"""

    async def choice(self, index: int) -> AsyncGenerator[ChatEvent, None]:
        """Generate one choice."""
        attempt = self._prompt.reply(index)
        generation = attempt.generation
        reply = ToolReply(
            self._toolbox,
            index,
            self._prompt.opening,
            top_logprobs=(self._ask.top_logprobs or 0) if self._ask.logprobs else None,
            strict=self._prompt.strict,
        )
        with self._tally.counting(generation):
            async with aclosing(self._told(attempt, reply)) as events:
                async for event in events:
                    yield event
            if reply.calls_in_vain:
                self._tally.drop(generation)
        if reply.calls_in_vain:
            rest = self._plain.choice(index, begun=reply.opened)
        elif reply.strict_call:
            rest = self._strict_arguments(index, reply, generation.completion_tokens)
        else:
            rest = _each(reply.ending(generation.finish))
        async with aclosing(rest):
            async for event in rest:
                yield event

    async def _told(self, attempt: Attempt, reply: ToolReply) -> AsyncGenerator[ChatEvent, None]:
        """Events of a generation, as far as it is wanted."""
        looked = False
        async with aclosing(attempt.steps) as steps:
            async for step in steps:
                if not looked:
                    looked = True
                    self._expect(reply, thinking=attempt.generation.thinking)
                for event in reply.take(step):
                    yield event
                if reply.complete or reply.strict_call or reply.calls_in_vain:
                    return
        for event in reply.finish():
            yield event

    def _expect(self, reply: ToolReply, *, thinking: bool) -> None:
        """Say what a reply that is free may begin with."""
        if not self._toolbox.forced:
            reply.expect_repetition(self._answered)
            reply.expect_thoughts(begun=thinking)

    async def _strict_arguments(
        self, index: int, reply: ToolReply, tokens_used: int
    ) -> AsyncGenerator[ChatEvent, None]:
        """Have the arguments of a call generated again, held to their schema, and end there."""
        name = reply.strict_call
        called = next(each for each in self._toolbox.functions if each.name == name)
        said = f"{reply.said}\n" if reply.said else ""
        limit = self._ask.completion_tokens_max
        tokens_max = None if limit is None else max(1, limit - tokens_used)
        attempt = self._prompt.arguments(index, name, f"{said}{known_call(called)}", tokens_max)
        with self._tally.counting(attempt.generation, prompt=None):
            async with aclosing(attempt.steps) as steps:
                async for step in steps:
                    if step.text:
                        yield reply.take_arguments(step.text)
        for event in reply.ending(attempt.generation.finish):
            yield event


async def _each(events: list[ChatEvent]) -> AsyncGenerator[ChatEvent, None]:
    for event in events:
        yield event
