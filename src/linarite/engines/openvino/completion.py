"""Completions: every prompt continued as often as asked, told as events."""

from __future__ import annotations

from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from linarite.domain.completion import CompletionChoice, CompletionEvent, CompletionLogprobs
from linarite.engines.openvino.generation import Generation
from linarite.engines.openvino.messages import Step, TextPrompt, TokenPrompt
from linarite.engines.openvino.sampling import refuse_biases, sampling_of, unsupported
from linarite.engines.text_chat.completion import (
    continued,
    given_prompts,
    require_fill_in,
    tokens_wanted,
)
from linarite.engines.text_chat.fan_out import gathered
from linarite.engines.text_chat.logprobs import completion_logprobs
from linarite.engines.text_chat.stops import stops_of
from linarite.engines.text_chat.tally import Tally

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from linarite.domain.completion import CompletionAsk
    from linarite.engines.openvino.loaded_model import LoadedModel
    from linarite.engines.text_chat.logprobs import TokenProbability


async def answer_completion(
    model: LoadedModel, ask: CompletionAsk
) -> AsyncGenerator[CompletionEvent, None]:
    """Continue all prompts; choices are numbered prompt by prompt.

    Each event has the counts so far. Raises InvalidRequest, ContextLengthExceeded,
    ServiceUnavailable, EngineFailed and RequestTimedOut.
    """
    refuse_biases(ask)
    if ask.logprobs:
        raise unsupported("logprobs", "Ask for 'logprobs': 0, the chosen tokens alone")
    require_fill_in(ask, able=model.capabilities.fill_in_the_middle)
    completion = _Completion(model, ask)
    events = continued(ask, completion, model.options.parallel_requests)
    async with aclosing(events):
        async for event in events:
            yield CompletionEvent(event.choices, completion.tally.usage)
    yield CompletionEvent([], completion.tally.usage)


class _Whole(msgspec.Struct, frozen=True):
    """A generation that has ended."""

    generation: Generation
    steps: list[Step]

    @property
    def likelihood(self) -> float:
        """The mean log-probability of its tokens: what `best_of` goes by."""
        seen = [each.logprob for step in self.steps for each in step.probabilities]
        return sum(seen) / len(seen) if seen else float("-inf")


class _Completion:
    """One request: `choice` or `best_of` as often as there is to do."""

    def __init__(self, model: LoadedModel, ask: CompletionAsk) -> None:
        self._model = model
        self._ask = ask
        self._wanted = ask.n or 1
        self._stops = stops_of(ask.stop)
        self._tokens_max = tokens_wanted(ask)
        self.prompts = given_prompts(ask, model.begin_text, model.context_tokens)
        self.tally = Tally()

    async def choice(self, prompt: int, choice: int) -> AsyncGenerator[CompletionEvent, None]:
        """Continue a prompt once."""
        index = prompt * self._wanted + choice
        generation = self._generation(prompt, choice)
        if not self._ask.stream:
            whole = _Whole(generation, [])
            with self.tally.counting(generation, prompt):
                async with aclosing(generation.steps()) as steps:
                    async for step in steps:
                        whole.steps.append(step)
                        yield CompletionEvent([])  # with the counts so far
            for event in self._events(whole, index):
                yield event
            return
        telling = _Telling(self._ask, generation, index)
        with self.tally.counting(generation, prompt):
            async with aclosing(generation.steps()) as steps:
                async for step in steps:
                    for event in telling.events(step):
                        yield event
        yield telling.ending()

    async def best_of(self, prompt: int) -> AsyncGenerator[CompletionEvent, None]:
        """Continue a prompt more often than wanted and yield the likeliest."""
        made = await gathered(
            [partial(self._whole, prompt, number) for number in range(self._ask.best_of or 1)],
            self._model.options.parallel_requests,
        )
        made.sort(key=lambda whole: whole.likelihood, reverse=True)
        for choice, whole in enumerate(made[: self._wanted]):
            for event in self._events(whole, prompt * self._wanted + choice):
                yield event

    def _events(self, whole: _Whole, index: int) -> list[CompletionEvent]:
        telling = _Telling(self._ask, whole.generation, index)
        events = telling.events(_joined(whole.steps)) if whole.steps else []
        return [*events, telling.ending()]

    async def _whole(self, prompt: int, choice: int) -> _Whole:
        """Generate a continuation to its end."""
        generation = self._generation(prompt, choice)
        with self.tally.counting(generation, prompt):
            async with aclosing(generation.steps()) as steps:
                return _Whole(generation, [step async for step in steps])

    def _generation(self, prompt: int, choice: int) -> Generation:
        ask, given = self._ask, self.prompts[prompt]
        suffix = ask.suffix or ""
        asked = TextPrompt(given, suffix) if isinstance(given, str) else TokenPrompt(given, suffix)
        generation = Generation(self._model, asked, sampling_of(ask, choice))
        generation.tokens_max = self._tokens_max
        generation.stops = self._stops
        wants_likelihood = ask.logprobs is not None
        generation.logprobs = wants_likelihood or (ask.best_of or 0) > self._wanted
        generation.tell_prompt = bool(ask.echo) or wants_likelihood
        generation.prompt_logprobs = bool(ask.echo) and wants_likelihood
        return generation


class _Telling:
    """The events of one choice."""

    def __init__(self, ask: CompletionAsk, generation: Generation, index: int) -> None:
        self._ask = ask
        self._generation = generation
        self._index = index
        self._begun = False
        self._said = 0
        """characters of the continuation so far"""

    def events(self, step: Step) -> list[CompletionEvent]:
        """What a step adds; before the first, the prompt, if it is to be given back."""
        events: list[CompletionEvent] = []
        if self._ask.echo and not self._begun:
            text, index = self._generation.prompt_text, self._index
            logprobs = _echoed(step.prompt_probabilities)
            events.append(CompletionEvent([CompletionChoice(text, index, None, logprobs)]))
        self._begun = True
        if step.text or step.probabilities:
            events.append(self._told(step))
        return events

    def _told(self, step: Step) -> CompletionEvent:
        offset = len(self._generation.prompt_text) + self._said
        self._said += len(step.text)
        logprobs = (
            None
            if self._ask.logprobs is None
            else completion_logprobs(step.probabilities, 0, offset)
        )
        return CompletionEvent([CompletionChoice(step.text, self._index, None, logprobs)])

    def ending(self) -> CompletionEvent:
        """The last event."""
        return CompletionEvent([CompletionChoice("", self._index, self._generation.finish)])


def _echoed(probabilities: list[TokenProbability] | None) -> CompletionLogprobs | None:
    """How likely the prompt's tokens were; nothing can be said of the first."""
    if not probabilities:
        return None
    told = completion_logprobs(probabilities, 0, 0)
    return msgspec.structs.replace(told, token_logprobs=[None, *told.token_logprobs[1:]])


def _joined(steps: list[Step]) -> Step:
    """Many steps as one."""
    return msgspec.structs.replace(
        steps[-1],
        text="".join(step.text for step in steps),
        probabilities=[each for step in steps for each in step.probabilities],
        prompt_probabilities=next(
            (step.prompt_probabilities for step in steps if step.prompt_probabilities), None
        ),
    )
