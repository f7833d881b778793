"""Chats in which functions can be called: what the model is given, and held to.

llama.cpp's own tool calling is not used: small models write calls in forms that it takes for text,
and what it promises for forced calls it does not keep. So the template is rendered, the reply
generated as text, and the calls are found in it, or the reply can be nothing but a call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from linarite.engines.llamacpp.call_constraint import arguments_constraint, calls_constraint
from linarite.engines.llamacpp.generation import COMPLETION, Generation
from linarite.engines.llamacpp.special_text import RenderedPrompt
from linarite.engines.llamacpp.wire import CHUNK_FIELDS
from linarite.engines.text_chat.tool_chat import Attempt, offer_of
from linarite.engines.text_chat.toolbox import forced_opening

if TYPE_CHECKING:
    from linarite.domain.chat import ChatAsk
    from linarite.engines.llamacpp.constraint import Constraint
    from linarite.engines.llamacpp.loaded_model import LoadedModel
    from linarite.engines.text_chat.toolbox import Toolbox

_TAGS = ["<tool_call>", "</tool_call>", "<think>", "</think>"]
_THOUGHT_SKIPPED = "\n</think>\n\n"


class LlamacppToolPrompt:
    """Implements `linarite.engines.text_chat.tool_chat.ToolPrompt`. `prepare` it once."""

    def __init__(self, model: LoadedModel, ask: ChatAsk, toolbox: Toolbox) -> None:
        self._model = model
        self._ask = ask
        self._toolbox = toolbox
        self._prompt = RenderedPrompt([""])
        self._fields: dict[str, Any] = {}
        self.opening = forced_opening(toolbox)
        self.strict: dict[str, Constraint] = {}

    async def prepare(self, reply_rule: str | None) -> None:
        """Render the prompt and make sure that the grammar, if there is one, compiles."""
        self._prompt = await self.rendered()
        constraint = self._held(reply_rule)
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

    async def rendered(self) -> RenderedPrompt:
        """The prompt with which every reply begins. Raises EngineRefusal and HttpClientError."""
        prompt = await self._from_template()
        if self._toolbox.forced and prompt.begins_thinking:
            prompt = prompt.followed_by(_THOUGHT_SKIPPED)
        return prompt.followed_by(self.opening)

    def _held(self, reply_rule: str | None) -> Constraint | None:
        """What every reply must be."""
        forced, schemas = self._toolbox.forced, self._model.schemas
        if len(forced) == 1:
            return arguments_constraint(forced[0], schemas)
        if forced:
            return calls_constraint(forced, schemas)
        if reply_rule is None:
            return None
        return calls_constraint(self._toolbox.functions, schemas, reply_rule)

    async def _prepare_strict(self) -> None:
        """Of functions that the model may call, those whose arguments must follow their schema."""
        for function in self._toolbox.functions:
            if function.strict:
                constraint = arguments_constraint(function, self._model.schemas)
                await self._model.trials.require(constraint)
                self.strict[function.name] = constraint

    async def _from_template(self) -> RenderedPrompt:
        model = self._model
        messages, tools = offer_of(
            self._ask, self._toolbox, knows_tools=model.knows_tools, knows_calls=model.knows_calls
        )
        body: dict[str, Any] = {"messages": messages}
        if tools is not None:
            body["tools"] = tools
        return await model.special_text.render(body)

    def reply(self, index: int) -> Attempt:
        """The reply of one choice."""
        generation = self._generation(index, {})
        generation.thinking = self._prompt.begins_thinking
        limit = self._ask.completion_tokens_max or 0
        return Attempt(generation, generation.steps(self._model.context_tokens, limit))

    def arguments(self, index: int, name: str, opening: str, tokens_max: int | None) -> Attempt:
        """Arguments of a strict function, held to their schema, in a reply that begins so."""
        closing = _THOUGHT_SKIPPED if self._prompt.begins_thinking else ""
        fields: dict[str, Any] = {
            "prompt": self._prompt.followed_by(f"{closing}{opening}").as_sent,
            "grammar": self.strict[name].grammar,
        }
        if tokens_max is not None:
            fields["n_predict"] = tokens_max
        generation = self._generation(index, fields)
        return Attempt(generation, generation.steps(self._model.context_tokens, 0))

    def _generation(self, index: int, fields: dict[str, Any]) -> Generation:
        sampling = self._model.sampling(self._ask, index)
        return Generation(self._model.client, COMPLETION, {**self._fields, **sampling, **fields})
