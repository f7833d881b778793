"""Chats in which functions can be called.

llama.cpp's own tool calling is not used: small models write calls in forms that it takes for text,
and what it promises for forced calls it does not keep. So the template is rendered, the reply
generated as text, and the calls are found in it, or the reply can be nothing but a call.
"""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Any, NamedTuple

from linarite.engines.llamacpp.call_constraint import arguments_constraint, calls_constraint
from linarite.engines.llamacpp.generation import COMPLETION, Generation
from linarite.engines.llamacpp.special_text import RenderedPrompt
from linarite.engines.llamacpp.wire import CHUNK_FIELDS
from linarite.engines.text_chat.messages import template_messages, with_instruction
from linarite.engines.text_chat.told_calls import answered_calls
from linarite.engines.text_chat.tool_reply import ToolReply
from linarite.engines.text_chat.toolbox import CALL_OPENING, instruction, known_call

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from linarite.domain.chat import ChatAsk, ChatEvent
    from linarite.engines.llamacpp.constraint import Constraint
    from linarite.engines.llamacpp.loaded_model import LoadedModel
    from linarite.engines.llamacpp.plain_chat import PlainChat
    from linarite.engines.text_chat.tally import Tally
    from linarite.engines.text_chat.told_calls import CallsTold
    from linarite.engines.text_chat.toolbox import Toolbox

_TAGS = ["<tool_call>", "</tool_call>", "<think>", "</think>"]
_THOUGHT_SKIPPED = "\n</think>\n\n"


class Strict(NamedTuple):
    """How the arguments of a strict function are generated."""

    opening: str
    grammar: str


class ToolChat:
    """A chat whose replies are text or calls. `prepare` once, then `choice` for each choice."""

    def __init__(
        self, model: LoadedModel, ask: ChatAsk, toolbox: Toolbox, tally: Tally, plain: PlainChat
    ) -> None:
        """`plain` answers when the model calls what does not exist."""
        self._model = model
        self._ask = ask
        self._toolbox = toolbox
        self._tally = tally
        self._plain = plain
        self._prompt = RenderedPrompt([""])
        self._opening = ""
        """how every reply begins: the end of the prompt"""
        self._fields: dict[str, Any] = {}
        self._strict: dict[str, Strict] = {}

    async def prepare(self, reply_rule: str | None) -> None:
        """Render the prompt and make sure that the grammar, if there is one, compiles."""
        toolbox, forced = self._toolbox, self._toolbox.forced
        prompt = await self._rendered()
        if forced and prompt.begins_thinking:
            prompt = prompt.followed_by(_THOUGHT_SKIPPED)
        constraint: Constraint | None = None
        if len(forced) == 1:
            self._opening = known_call(forced[0])
            constraint = arguments_constraint(forced[0], self._model.schemas)
        elif forced:
            self._opening = CALL_OPENING
            constraint = calls_constraint(forced, self._model.schemas)
        elif reply_rule is not None:
            constraint = calls_constraint(toolbox.functions, self._model.schemas, reply_rule)
        self._prompt = prompt.followed_by(self._opening)
        self._fields = {
            "prompt": self._prompt.as_sent,
            "n_predict": -1,
            "preserved_tokens": _TAGS,
            "response_fields": CHUNK_FIELDS,
        }
        if self._ask.completion_tokens_max is not None:
            self._fields["n_predict"] = self._ask.completion_tokens_max
        if self._ask.logprobs:
            self._fields["n_probs"] = max(1, self._ask.top_logprobs or 0)
        if constraint is not None:
            await self._model.trials.require(constraint)
            self._fields["grammar"] = constraint.grammar
        else:
            await self._prepare_strict()

    async def _prepare_strict(self) -> None:
        """Of functions that the model may call, those whose arguments must follow their schema."""
        for function in self._toolbox.functions:
            if function.strict:
                constraint = arguments_constraint(function, self._model.schemas)
                await self._model.trials.require(constraint)
                self._strict[function.name] = Strict(known_call(function), constraint.grammar)

    async def _rendered(self) -> RenderedPrompt:
        calls: CallsTold = "template" if self._model.knows_calls else "tags"
        messages = template_messages(self._ask.messages, calls=calls)
        body: dict[str, Any] = {"messages": messages}
        if self._model.knows_tools:
            body["tools"] = self._toolbox.as_tools()
        else:
            body["messages"] = with_instruction(messages, instruction(self._toolbox))
        return await self._model.special_text.render(body)

    async def choice(self, index: int) -> AsyncGenerator[ChatEvent, None]:
        """Generate one choice."""
        sampling = self._model.sampling(self._ask, index)
        generation = Generation(self._model.client, COMPLETION, {**self._fields, **sampling})
        top_logprobs = (self._ask.top_logprobs or 0) if self._ask.logprobs else None
        reply = ToolReply(
            self._toolbox,
            index,
            self._opening,
            top_logprobs=top_logprobs,
            strict=self._strict,
        )
        if not self._toolbox.forced:
            if self._model.options.repeated_calls_answered:
                reply.expect_repetition(answered_calls(self._ask.messages))
            reply.expect_thoughts(begun=self._prompt.begins_thinking)
        with self._tally.counting(generation):
            async with aclosing(self._told(generation, reply)) as events:
                async for event in events:
                    yield event
            if reply.calls_in_vain:
                self._tally.drop(generation)
        if reply.calls_in_vain:
            rest = self._plain.choice(index, begun=reply.opened)
        elif reply.strict_call:
            rest = self._strict_arguments(reply, sampling, generation.completion_tokens)
        else:
            rest = _each(reply.ending(generation.finish))
        async with aclosing(rest):
            async for event in rest:
                yield event

    async def _told(
        self, generation: Generation, reply: ToolReply
    ) -> AsyncGenerator[ChatEvent, None]:
        """Events of a generation, as far as it is wanted."""
        limit = self._ask.completion_tokens_max or 0
        async with aclosing(generation.steps(self._model.context_tokens, limit)) as steps:
            async for step in steps:
                for event in reply.take(step):
                    yield event
                if reply.complete or reply.strict_call or reply.calls_in_vain:
                    return
        for event in reply.finish():
            yield event

    async def _strict_arguments(
        self, reply: ToolReply, sampling: dict[str, Any], tokens_used: int
    ) -> AsyncGenerator[ChatEvent, None]:
        """Have the arguments of a call generated again, held to their schema, and end there."""
        strict = self._strict[reply.strict_call]
        said = f"{reply.said}\n" if reply.said else ""
        closing = _THOUGHT_SKIPPED if self._prompt.begins_thinking else ""
        prompt = self._prompt.followed_by(f"{closing}{said}{strict.opening}")
        fields = {
            **self._fields,
            **sampling,
            "prompt": prompt.as_sent,
            "grammar": strict.grammar,
        }
        limit = self._ask.completion_tokens_max
        if limit is not None:
            fields["n_predict"] = max(1, limit - tokens_used)
        generation = Generation(self._model.client, COMPLETION, fields)
        with self._tally.counting(generation, prompt=None):
            async with aclosing(generation.steps(self._model.context_tokens, 0)) as steps:
                async for step in steps:
                    yield reply.take_arguments(step.text)
        for event in reply.ending(generation.finish):
            yield event


async def _each(events: list[ChatEvent]) -> AsyncGenerator[ChatEvent, None]:
    for event in events:
        yield event
