"""One reply of the model, step by step."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from linarite.domain.errors import ContextLengthExceeded, InvalidRequest
from linarite.engines.openvino.messages import Accepted, Refused, Submit
from linarite.engines.text_chat.schema_bounds import does_not_compile

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from linarite.engines.openvino.loaded_model import LoadedModel
    from linarite.engines.openvino.messages import (
        ChatPrompt,
        Finish,
        Sampling,
        Step,
        TextPrompt,
        TokenPrompt,
    )
    from linarite.engines.openvino.shapes import Constraint


class Generation:
    """One reply. Iterate `steps` once; the counts are as far as the steps have come."""

    def __init__(
        self,
        model: LoadedModel,
        prompt: ChatPrompt | TextPrompt | TokenPrompt,
        sampling: Sampling,
        constraint: Constraint | None = None,
    ) -> None:
        """Nothing is asked for yet; the other wishes are attributes."""
        self._model = model
        self._prompt = prompt
        self._sampling = sampling
        self._constraint = constraint
        self.tokens_max: int | None = None
        self.stops: list[str] = []
        self.logprobs = False
        self.tell_prompt = False
        self.prompt_logprobs = False
        self.prompt_text = ""
        self.prompt_tokens = 0
        self.cached_tokens = 0
        self.completion_tokens = 0
        self.thinking = False
        """the prompt ends with the beginning of a thought"""
        self.finish: Finish = "stop"

    async def steps(self) -> AsyncGenerator[Step, None]:
        """Yield every step of it.

        Raises InvalidRequest and ContextLengthExceeded before the first; ServiceUnavailable,
        EngineFailed and RequestTimedOut.
        """
        options = self._model.options
        async with (
            self._model.places,
            aclosing(
                self._model.channel.words(
                    self._submit, first_s=options.first_byte_s, idle_s=options.idle_s
                )
            ) as words,
        ):
            async for word in words:
                if isinstance(word, Refused):
                    raise self._refusal(word)
                if isinstance(word, Accepted):
                    self.prompt_tokens = word.prompt_tokens
                    self.prompt_text = word.prompt_text
                    self.thinking = word.thinking
                    continue
                self.completion_tokens = word.completion_tokens
                if word.finish is not None:
                    self.finish = word.finish
                yield word

    def _submit(self, number: int) -> Submit:
        return Submit(
            id=number,
            prompt=self._prompt,
            sampling=self._sampling,
            tokens_max=self.tokens_max,
            stops=self.stops,
            logprobs=self.logprobs,
            tell_prompt=self.tell_prompt,
            prompt_logprobs=self.prompt_logprobs,
            constraint=self._constraint.shape if self._constraint else None,
        )

    def _refusal(self, refused: Refused) -> InvalidRequest:
        if refused.why == "context":
            return ContextLengthExceeded(
                self._model.context_tokens, refused.prompt_tokens, refused.tokens_max
            )
        if refused.why == "template":
            return InvalidRequest(
                "The model's chat template does not accept these messages. Check their roles, "
                "their order and that they have content.",
                param="messages",
            )
        if refused.why == "tokens":
            return InvalidRequest(
                "The prompt contains token ids that this model does not have.", param="prompt"
            )
        if refused.why == "constraint" and self._constraint is not None:
            return does_not_compile(self._constraint.param)
        if refused.why == "config":
            return InvalidRequest(
                "The engine does not take these sampling parameters. Check temperature, top_p, "
                "presence_penalty and frequency_penalty."
            )
        return InvalidRequest("The model cannot start from this prompt.", param="prompt")
