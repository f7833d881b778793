"""Chats in which functions can be called.

The reply is generated as text and the calls are found in it, or it can be nothing but a call.
"""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, NamedTuple

from linarite.engines.openvino.generation import Generation
from linarite.engines.openvino.messages import ChatPrompt
from linarite.engines.openvino.sampling import sampling_of
from linarite.engines.openvino.shapes import Constraint
from linarite.engines.text_chat.messages import template_messages, with_instruction
from linarite.engines.text_chat.stops import stops_of
from linarite.engines.text_chat.told_calls import answered_calls
from linarite.engines.text_chat.tool_reply import ToolReply
from linarite.engines.text_chat.toolbox import CALL_OPENING, instruction, known_call

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from linarite.domain.chat import ChatAsk, ChatEvent
    from linarite.engines.openvino.loaded_model import LoadedModel
    from linarite.engines.openvino.plain_chat import PlainChat
    from linarite.engines.text_chat.tally import Tally
    from linarite.engines.text_chat.toolbox import Toolbox


class Strict(NamedTuple):
    """How the arguments of a strict function are generated."""

    opening: str
    constraint: Constraint


class ToolChat:
    """A chat whose replies are text or calls."""

    def __init__(
        self, model: LoadedModel, ask: ChatAsk, toolbox: Toolbox, tally: Tally, plain: PlainChat
    ) -> None:
        """`plain` answers when the model calls what does not exist. Raises InvalidRequest."""
        self._model = model
        self._ask = ask
        self._toolbox = toolbox
        self._tally = tally
        self._plain = plain
        self._stops = stops_of(ask.stop)
        self._constraint, opening = self._held()
        self._strict: dict[str, Strict] = {}
        if self._constraint is None:
            self._strict = {
                function.name: Strict(
                    known_call(function), Constraint(model.shaper.arguments(function), "tools")
                )
                for function in toolbox.functions
                if function.strict
            }
        messages = template_messages(
            ask.messages, calls="template" if model.knows_calls else "tags"
        )
        tools = toolbox.as_tools() if model.knows_tools else None
        if tools is None:
            messages = with_instruction(messages, instruction(toolbox))
        self._prompt = ChatPrompt(
            messages, tools, opening, skip_thoughts=self._constraint is not None
        )

    def _held(self) -> tuple[Constraint | None, str]:
        """What every reply must be, and how it begins: the end of the prompt."""
        shaper, forced = self._model.shaper, self._toolbox.forced
        if len(forced) == 1:
            return Constraint(shaper.arguments(forced[0]), "tools"), known_call(forced[0])
        if forced:
            return Constraint(shaper.calls(forced), "tools"), CALL_OPENING
        reply = shaper.of_format(self._ask.response_format)
        if reply is None:
            return None, ""
        return Constraint(shaper.calls_or(self._toolbox.functions, reply), "tools"), ""

    def _generation(
        self, index: int, prompt: ChatPrompt, constraint: Constraint | None
    ) -> Generation:
        generation = Generation(self._model, prompt, sampling_of(self._ask, index), constraint)
        generation.tokens_max = self._ask.completion_tokens_max
        generation.stops = self._stops
        generation.logprobs = bool(self._ask.logprobs)
        return generation

    async def choice(self, index: int) -> AsyncGenerator[ChatEvent, None]:
        """Generate one choice."""
        generation = self._generation(index, self._prompt, self._constraint)
        reply = ToolReply(
            self._toolbox,
            index,
            self._prompt.opening,
            top_logprobs=0 if self._ask.logprobs else None,
            strict=self._strict,
        )
        with self._tally.counting(generation):
            async with aclosing(self._told(generation, reply)) as events:
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

    async def _told(
        self, generation: Generation, reply: ToolReply
    ) -> AsyncGenerator[ChatEvent, None]:
        """Events of a generation, as far as it is wanted."""
        looked = False
        async with aclosing(generation.steps()) as steps:
            async for step in steps:
                if not looked:
                    looked = True
                    self._expect(reply, thinking=generation.thinking)
                for event in reply.take(step):
                    yield event
                if reply.complete or reply.strict_call or reply.calls_in_vain:
                    return
        for event in reply.finish():
            yield event

    def _expect(self, reply: ToolReply, *, thinking: bool) -> None:
        """Say what a reply that is free may begin with."""
        if self._toolbox.forced:
            return
        if self._model.options.repeated_calls_answered:
            reply.expect_repetition(answered_calls(self._ask.messages))
        reply.expect_thoughts(begun=thinking)

    async def _strict_arguments(
        self, index: int, reply: ToolReply, tokens_used: int
    ) -> AsyncGenerator[ChatEvent, None]:
        """Have the arguments of a call generated again, held to their schema, and end there."""
        strict = self._strict[reply.strict_call]
        said = f"{reply.said}\n" if reply.said else ""
        prompt = ChatPrompt(
            self._prompt.messages,
            self._prompt.tools,
            f"{said}{strict.opening}",
            skip_thoughts=True,
        )
        generation = self._generation(index, prompt, strict.constraint)
        generation.stops = []
        limit = self._ask.completion_tokens_max
        if limit is not None:
            generation.tokens_max = max(1, limit - tokens_used)
        with self._tally.counting(generation, prompt=None):
            async with aclosing(generation.steps()) as steps:
                async for step in steps:
                    if step.text:
                        yield reply.take_arguments(step.text)
        for event in reply.ending(generation.finish):
            yield event


async def _each(events: list[ChatEvent]) -> AsyncGenerator[ChatEvent, None]:
    for event in events:
        yield event
