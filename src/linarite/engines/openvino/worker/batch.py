"""The replies that are being generated: begun, advanced a step at a time, ended."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from linarite.engines.openvino.messages import Accepted, Refused, Step
from linarite.engines.openvino.worker.grammar import structured_output
from linarite.engines.openvino.worker.prompts import BadPrompt
from linarite.engines.openvino.worker.text_stream import TextStream, probability_of

if TYPE_CHECKING:
    from linarite.engines.openvino.messages import Finish, Submit
    from linarite.engines.openvino.shapes import Shape
    from linarite.engines.openvino.worker.model import Model
    from linarite.engines.openvino.worker.native import Native
    from linarite.engines.text_chat.logprobs import TokenProbability

_KNOWN_MAX = 512


class Batch:
    """All replies under way."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._replies: dict[int, _Reply] = {}
        self._numbers = 0
        self._compiled: dict[bytes, None] = {}

    @property
    def running(self) -> int:
        """How many replies are under way."""
        return len(self._replies)

    def begin(self, ask: Submit) -> tuple[Accepted | Refused, Step | None]:
        """Take up a reply; the step is there when it is complete already."""
        model = self._model
        try:
            prompted = model.prompts.make(ask.prompt)
        except BadPrompt as problem:
            return Refused(ask.id, problem.why), None
        prompt_tokens = len(prompted.ids)
        room = model.loaded.context_tokens - prompt_tokens
        wanted = ask.tokens_max or 0
        if room < max(1 if ask.tokens_max is None else 0, wanted):
            return Refused(ask.id, "context", prompt_tokens, wanted), None
        if ask.constraint is not None and not self._compiles(ask.constraint):
            return Refused(ask.id, "constraint"), None
        text = model.prompts.text_of(prompted.ids) if ask.tell_prompt else ""
        accepted = Accepted(ask.id, prompt_tokens, prompted.thinking, text)
        if ask.tokens_max == 0 and not ask.prompt_logprobs:
            return accepted, Step(ask.id, "", 0, finish="length")
        tokens_max = room if ask.tokens_max is None else ask.tokens_max
        try:
            handle = self._add(prompted.ids, self._config(ask, tokens_max))
        except Exception:  # noqa: BLE001 - whatever the library does not take, it must not end us
            return Refused(ask.id, "config"), None
        self._replies[ask.id] = _Reply(model, ask, handle, prompt_tokens)
        return accepted, None

    def cancel(self, reply: int) -> None:
        """End a reply that nobody waits for, if it has not ended."""
        ended = self._replies.pop(reply, None)
        if ended is not None:
            ended.handle.cancel()

    def advance(self) -> list[Step]:
        """Compute one step of every reply; what it brought."""
        self._model.pipeline.step()
        steps: list[Step] = []
        for number, reply in list(self._replies.items()):
            step = reply.news()
            if step is None:
                continue
            steps.append(step)
            if step.finish is not None:
                self.cancel(number)
        return steps

    @property
    def busy(self) -> bool:
        """There is something to compute, if only the end of what was cancelled."""
        return bool(self._model.pipeline.has_non_finished_requests())

    def _add(self, ids: list[int], config: object) -> Native:
        self._numbers += 1
        return self._model.pipeline.add_request(self._numbers, self._model.tensor(ids), config)

    def _config(self, ask: Submit, tokens_max: int) -> object:
        sampling = ask.sampling
        config = self._model.genai.GenerationConfig()
        config.max_new_tokens = tokens_max
        # As with the temperature, the least top_p leaves but the likeliest token.
        config.do_sample = sampling.temperature > 0 and sampling.top_p > 0
        if config.do_sample:
            config.temperature = sampling.temperature
            config.top_p = sampling.top_p
        config.rng_seed = sampling.seed
        config.presence_penalty = sampling.presence_penalty
        config.frequency_penalty = sampling.frequency_penalty
        config.stop_token_ids = self._model.ends
        config.logprobs = 1 if ask.logprobs or ask.prompt_logprobs else 0
        config.echo = ask.prompt_logprobs
        if ask.constraint is not None:
            config.structured_output_config = structured_output(self._model.genai, ask.constraint)
        return config

    def _compiles(self, shape: Shape) -> bool:
        """Whether a reply can be held to a shape: tried once, on the model of no use."""
        digest = hashlib.sha256(repr(shape).encode()).digest()
        if digest in self._compiled:
            return True
        trials = self._model.trials
        config = self._model.genai.GenerationConfig()
        config.max_new_tokens = 1
        self._numbers += 1
        handle = None
        try:
            config.structured_output_config = structured_output(self._model.genai, shape)
            handle = trials.add_request(self._numbers, self._model.tensor([0]), config)
            while trials.has_non_finished_requests():
                trials.step()
        except Exception:  # noqa: BLE001 - whatever the library does not like about it
            if handle is not None:
                handle.cancel()
                trials.step()
            return False
        if len(self._compiled) >= _KNOWN_MAX:
            del self._compiled[next(iter(self._compiled))]
        self._compiled[digest] = None
        return True


class _Reply:
    """One reply under way."""

    def __init__(self, model: Model, ask: Submit, handle: Native, prompt_tokens: int) -> None:
        self.handle = handle
        self._model = model
        self._id = ask.id
        self._told = TextStream(model.shown, ask.stops, logprobs=ask.logprobs)
        self._finishes: dict[Native, Finish] = {
            model.genai.GenerationFinishReason.STOP: "stop",
            model.genai.GenerationFinishReason.LENGTH: "length",
        }
        self._echoed = prompt_tokens if ask.prompt_logprobs else 0
        """tokens of the prompt that are still to come back"""
        self._completion_tokens = 0

    def news(self) -> Step | None:
        """What the last step brought; None when nothing."""
        if not self.handle.can_read():
            ignored = self.handle.get_status() == self._model.genai.GenerationStatus.IGNORED
            return Step(self._id, "", self._completion_tokens, finish="length") if ignored else None
        tokens: list[int] = []
        logprobs: list[float] = []
        finish: Finish | None = None
        for output in self.handle.read().values():
            tokens += output.generated_ids
            logprobs += output.generated_log_probs
            finish = self._finishes.get(output.finish_reason)
        echo: list[TokenProbability] | None = None
        if self._echoed:
            echo = self._echo(tokens[: self._echoed], logprobs[: self._echoed])
            tokens, logprobs = tokens[self._echoed :], logprobs[self._echoed :]
            self._echoed = 0
        self._completion_tokens += len(tokens)
        told = self._told.feed(tokens, logprobs, last=finish is not None)
        return Step(
            self._id,
            told.text,
            self._completion_tokens,
            told.probabilities,
            echo,
            "stop" if told.stopped else finish,
        )

    def _echo(self, tokens: list[int], logprobs: list[float]) -> list[TokenProbability]:
        pieces = self._model.pieces
        return [
            probability_of(token, pieces[token], min(0.0, logprob))
            for token, logprob in zip(tokens, logprobs, strict=True)
        ]
