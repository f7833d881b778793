"""Completions: every prompt continued as often as asked, told as events."""

from __future__ import annotations

from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING, Any

from linarite.domain.completion import CompletionChoice, CompletionEvent
from linarite.engines.llamacpp.generation import COMPLETION, Generation
from linarite.engines.llamacpp.prompt_echo import PromptEcho, echo_of
from linarite.engines.llamacpp.wire import CHUNK_FIELDS, TokenProbability
from linarite.engines.text_chat.completion import (
    continued,
    given_prompts,
    require_fill_in,
    tokens_wanted,
)
from linarite.engines.text_chat.fan_out import gathered
from linarite.engines.text_chat.logprobs import completion_logprobs
from linarite.engines.text_chat.tally import Tally

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from linarite.domain.completion import CompletionAsk
    from linarite.engines.llamacpp.generation import Finish, Step
    from linarite.engines.llamacpp.loaded_model import LoadedModel


async def answer_completion(
    model: LoadedModel, ask: CompletionAsk
) -> AsyncGenerator[CompletionEvent, None]:
    """Continue all prompts; choices are numbered prompt by prompt.

    Each event has the counts so far.

    Raises InvalidRequest, ContextLengthExceeded, EngineFailed, EngineRefusal and HttpClientError.
    """
    require_fill_in(ask, able=model.fill_in is not None)
    completion = _Completion(model, ask)
    await completion.prepare()
    events = continued(ask, completion, model.options.parallel_requests)
    async with aclosing(events):
        async for event in events:
            yield CompletionEvent(event.choices, completion.tally.usage)
    yield CompletionEvent([], completion.tally.usage)


class _Whole:
    """A generation that is told when it has ended."""

    def __init__(self, generation: Generation) -> None:
        self.generation = generation
        self.probabilities: list[TokenProbability] = []
        self._texts: list[str] = []

    def add(self, step: Step) -> None:
        """Take what it says."""
        self._texts.append(step.text)
        self.probabilities += step.probabilities

    @property
    def text(self) -> str:
        """All of it."""
        return "".join(self._texts)

    @property
    def likelihood(self) -> float:
        """The mean log-probability of its tokens: what `best_of` goes by."""
        seen = [probability.logprob for probability in self.probabilities]
        return sum(seen) / len(seen) if seen else float("-inf")


class _Completion:
    """One request. `prepare` once, then `choice` or `best_of` as often as there is to do."""

    def __init__(self, model: LoadedModel, ask: CompletionAsk) -> None:
        self._model = model
        self._ask = ask
        self._wanted = ask.n or 1
        self._tokens_max = tokens_wanted(ask)
        self._echoes: list[PromptEcho] = []
        self.prompts = given_prompts(ask, model.begin_text, model.context_tokens)
        self.tally = Tally()

    async def prepare(self) -> None:
        """Look at the prompts as far as the answer speaks of them, and put suffixes to them."""
        if self._ask.echo or self._ask.logprobs is not None or self._tokens_max == 0:
            top = self._ask.logprobs if self._ask.echo else None
            self._echoes = await gathered(
                [partial(echo_of, self._model, prompt, top) for prompt in self.prompts],
                self._model.options.parallel_requests,
            )
        fill_in, client = self._model.fill_in, self._model.client
        if self._ask.suffix and fill_in is not None:
            self.prompts = [
                await fill_in.prompt(client, prompt, self._ask.suffix) for prompt in self.prompts
            ]

    async def choice(self, prompt: int, choice: int) -> AsyncGenerator[CompletionEvent, None]:
        """Continue a prompt once."""
        index = prompt * self._wanted + choice
        if self._ask.echo:
            yield self._echoed(index, prompt)
        if self._tokens_max == 0:
            self.tally.add_prompt(self._echoes[prompt].tokens, prompt)
            yield _ending(index, "length")
            return
        generation = self._generation(prompt, choice)
        if not self._ask.stream:
            whole = _Whole(generation)
            with self.tally.counting(generation, prompt):
                async with aclosing(self._steps(generation)) as steps:
                    async for step in steps:
                        whole.add(step)
                        yield CompletionEvent([])  # with the counts so far
            yield self._told(index, prompt, whole.text, whole.probabilities)
            yield _ending(index, generation.finish)
            return
        said = 0
        with self.tally.counting(generation, prompt):
            async with aclosing(self._steps(generation)) as steps:
                async for step in steps:
                    yield self._told(index, prompt, step.text, step.probabilities, said)
                    said += len(step.text)
        yield _ending(index, generation.finish)

    async def best_of(self, prompt: int) -> AsyncGenerator[CompletionEvent, None]:
        """Continue a prompt more often than wanted and yield the likeliest."""
        made = await gathered(
            [partial(self._whole, prompt, number) for number in range(self._ask.best_of or 1)],
            self._model.options.parallel_requests,
        )
        made.sort(key=lambda whole: whole.likelihood, reverse=True)
        for choice, whole in enumerate(made[: self._wanted]):
            index = prompt * self._wanted + choice
            if self._ask.echo:
                yield self._echoed(index, prompt)
            yield self._told(index, prompt, whole.text, whole.probabilities)
            yield _ending(index, whole.generation.finish)

    async def _whole(self, prompt: int, choice: int) -> _Whole:
        """Generate a continuation to its end."""
        whole = _Whole(self._generation(prompt, choice))
        with self.tally.counting(whole.generation, prompt):
            async with aclosing(self._steps(whole.generation)) as steps:
                async for step in steps:
                    whole.add(step)
        return whole

    def _generation(self, prompt: int, choice: int) -> Generation:
        ask = self._ask
        body: dict[str, Any] = {
            **self._model.sampling(ask, choice),
            "prompt": self.prompts[prompt],
            "n_predict": self._tokens_max,
            "response_fields": CHUNK_FIELDS,
        }
        if ask.logprobs is not None or (ask.best_of or 0) > self._wanted:
            body["n_probs"] = max(1, ask.logprobs or 0)
        return Generation(self._model.client, COMPLETION, body)

    def _steps(self, generation: Generation) -> AsyncGenerator[Step, None]:
        return generation.steps(self._model.context_tokens, self._tokens_max)

    def _echoed(self, index: int, prompt: int) -> CompletionEvent:
        echo = self._echoes[prompt]
        return CompletionEvent([CompletionChoice(echo.text, index, None, echo.logprobs)])

    def _told(
        self,
        index: int,
        prompt: int,
        text: str,
        probabilities: list[TokenProbability],
        said: int = 0,
    ) -> CompletionEvent:
        """New text; `said` counts the characters of the continuation so far."""
        top = self._ask.logprobs
        if top is None:
            return CompletionEvent([CompletionChoice(text, index)])
        offset = len(self._echoes[prompt].text) + said
        logprobs = completion_logprobs(probabilities, top, offset)
        return CompletionEvent([CompletionChoice(text, index, None, logprobs)])


def _ending(index: int, finish: Finish) -> CompletionEvent:
    return CompletionEvent([CompletionChoice("", index, finish)])
