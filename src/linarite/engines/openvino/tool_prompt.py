"""Chats in which functions can be called: what the model is given, and held to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from linarite.engines.openvino.generation import Generation
from linarite.engines.openvino.messages import ChatPrompt
from linarite.engines.openvino.sampling import sampling_of
from linarite.engines.openvino.shapes import Constraint
from linarite.engines.text_chat.stops import stops_of
from linarite.engines.text_chat.tool_chat import Attempt, offer_of
from linarite.engines.text_chat.toolbox import forced_opening

if TYPE_CHECKING:
    from linarite.domain.chat import ChatAsk
    from linarite.engines.openvino.loaded_model import LoadedModel
    from linarite.engines.text_chat.toolbox import Toolbox


class OpenvinoToolPrompt:
    """Implements `linarite.engines.text_chat.tool_chat.ToolPrompt`."""

    def __init__(self, model: LoadedModel, ask: ChatAsk, toolbox: Toolbox) -> None:
        """Raises InvalidRequest."""
        self._model = model
        self._ask = ask
        self._stops = stops_of(ask.stop)
        self._constraint = self._held(toolbox)
        self.opening = forced_opening(toolbox)
        self.strict: dict[str, Constraint] = {}
        if self._constraint is None:
            self.strict = {
                function.name: Constraint(model.shaper.arguments(function), "tools")
                for function in toolbox.functions
                if function.strict
            }
        offer = offer_of(ask, toolbox, knows_tools=model.knows_tools, knows_calls=model.knows_calls)
        self._prompt = ChatPrompt(*offer, self.opening, skip_thoughts=self._constraint is not None)

    def _held(self, toolbox: Toolbox) -> Constraint | None:
        """What every reply must be."""
        shaper, forced = self._model.shaper, toolbox.forced
        if len(forced) == 1:
            return Constraint(shaper.arguments(forced[0]), "tools")
        if forced:
            return Constraint(shaper.calls(forced), "tools")
        reply = shaper.of_format(self._ask.response_format)
        if reply is None:
            return None
        return Constraint(shaper.calls_or(toolbox.functions, reply), "tools")

    def reply(self, index: int) -> Attempt:
        """The reply of one choice."""
        generation = self._generation(index, self._prompt, self._constraint)
        generation.tokens_max = self._ask.completion_tokens_max
        generation.stops = self._stops
        generation.logprobs = bool(self._ask.logprobs)
        return Attempt(generation, generation.steps())

    def arguments(self, index: int, name: str, opening: str, tokens_max: int | None) -> Attempt:
        """Arguments of a strict function, held to their schema, in a reply that begins so."""
        prompt = msgspec.structs.replace(self._prompt, opening=opening, skip_thoughts=True)
        generation = self._generation(index, prompt, self.strict[name])
        generation.tokens_max = tokens_max
        return Attempt(generation, generation.steps())

    def _generation(
        self, index: int, prompt: ChatPrompt, constraint: Constraint | None
    ) -> Generation:
        return Generation(self._model, prompt, sampling_of(self._ask, index), constraint)
