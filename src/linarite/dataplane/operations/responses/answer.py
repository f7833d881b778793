"""An answer as it grows: the response, its counts, and the events that tell of them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import msgspec

from linarite.dataplane.operations.responses.output import Output
from linarite.dataplane.operations.responses.shape import filter_shown, usage_shown
from linarite.domain.chat import ChatAsk
from linarite.domain.errors import EngineFailed, ModelError, UpstreamRefused
from linarite.domain.quota_errors import RateLimitReached
from linarite.domain.service_tier import AUTO, DEFAULT
from linarite.domain.usage import Usage, added, usage_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from linarite.dataplane.operations.responses.hosted_output import HostedCall
    from linarite.dataplane.operations.responses.preparing import Request
    from linarite.dataplane.operations.responses.shape import Response
    from linarite.domain.chat import ChatEvent
    from linarite.domain.errors import LinariteError

encode = msgspec.json.encode

NOTHING = Usage()
UNFINISHED = {"length": "max_output_tokens", "content_filter": "content_filter"}
"""why a model stopped → why a response is incomplete"""
ERROR_TYPES = {400: "user_error", 403: "forbidden", 429: "too_many_requests"}
RATE_LIMITED = 429
RATE_EXCEEDED = "rate_limit_exceeded"


class Answer:
    """One response on its way. `take` each event, then `finish` or `fail`."""

    prompt = ChatAsk([])
    """what the model is asked first"""
    prompt_tokens = 0
    """that it reads, at most"""
    _guessed = False
    """whether any of the turns before this one was not counted"""

    def __init__(
        self,
        response: Response,
        new_id: Callable[[str], str],
        custom: frozenset[str],
        *,
        logprobs: bool,
        told: bool,
    ) -> None:
        """`told`: whether anybody wants the events."""
        self.response = response
        self.counted: Usage | None = None
        """the newest counts of the engine's"""
        self.began = False
        self._queued = False
        self._before = NOTHING
        """of earlier turns"""
        self._told = told
        self._sequence = 0
        self._frames: list[bytes] = []
        self._pieces = 0
        self._reason = ""
        self._filtered: dict[str, Any] = {}
        self._output = Output(new_id, self._tell, custom, logprobs=logprobs)

    @property
    def seal(self) -> Callable[[str], str] | None:
        """What seals what is thought; None where that is not wanted."""
        return self._output.seal

    @seal.setter
    def seal(self, seal: Callable[[str], str] | None) -> None:
        self._output.seal = seal

    def go_on(self, sequence: int) -> None:
        """Events up to that number have been told before: of a response that was queued."""
        self._sequence = sequence
        self._queued = True

    def queue(self) -> None:
        """It waits until it is made in the background."""
        self.response["status"] = "queued"
        self._tell_whole("response.created")
        self._tell_whole("response.queued")

    @property
    def usage(self) -> Usage | None:
        """The engine's counts; where it gave none, what was estimated and heard."""
        before, now = self._before, self.counted
        if now is None:
            if not self._pieces:
                return before if before.total_tokens else None
            now = usage_of(self.prompt_tokens, self._pieces)
        return added(before, now) if before.total_tokens else now

    @property
    def guessed(self) -> bool:
        """See Reply."""
        return self._guessed or (self.counted is None and bool(self._pieces))

    def taken(self) -> list[bytes]:
        """The events that nobody has taken yet, as they are sent."""
        frames, self._frames = self._frames, []
        return frames

    def begin(self) -> None:
        """The model has begun to answer."""
        self.began = True
        self.response["status"] = "in_progress"
        if not self._queued:
            self._tell_whole("response.created")
        self._tell_whole("response.in_progress")

    def require_begun(self) -> None:
        """Raise EngineFailed where the model has said nothing at all."""
        if not self.began:
            raise EngineFailed("The engine gave no answer.")

    def take(self, event: ChatEvent) -> None:
        """What the model said. Raises EngineFailed for what can be told by no event."""
        if not self.began:
            self.begin()
        if event.usage is not None:
            self.counted = event.usage
        elif event.choices:
            self._pieces += 1
        for prompt in event.prompt_filter_results or ():
            results: dict[str, Any] = prompt.get("content_filter_results") or {}
            self.response["content_filters"].append(filter_shown("prompt", results))
        for choice in event.choices:
            if choice.index:
                continue
            self._output.take(choice)
            self._reason = choice.finish_reason or self._reason
            if choice.content_filter_results:
                self._filtered |= choice.content_filter_results

    @property
    def output(self) -> Output:
        """What has been said and called."""
        return self._output

    def end_turn(self) -> list[HostedCall]:
        """The hosted calls that are to be carried out; none of a turn that broke off."""
        if self._reason in UNFINISHED:
            return []
        self._guessed = self.guessed
        self._before, self.counted, self._pieces = self.usage or NOTHING, None, 0
        return self._output.end_turn()

    def has_run_out(self, most_tokens: int | None) -> bool:
        """Whether there is nothing left of what the ask lets be generated."""
        usage = self.usage
        if most_tokens is None or usage is None or usage.completion_tokens < most_tokens:
            return False
        self._reason = "length"
        return True

    def finish(self) -> None:
        """The model has said everything."""
        why = UNFINISHED.get(self._reason)
        status = "completed" if why is None else "incomplete"
        self._output.close(status)
        self.response["incomplete_details"] = None if why is None else {"reason": why}
        if self.response["service_tier"] == AUTO:  # told until it is known which one served
            self.response["service_tier"] = DEFAULT
        self._end(status)

    def fail(self, problem: LinariteError) -> None:
        """It has been broken off; what the model had said stays."""
        if self._output.items:
            self._output.close("incomplete")
        if isinstance(problem, RateLimitReached):
            problem.told_to("", "", v1=True)
        code = RATE_EXCEEDED if problem.status == RATE_LIMITED else "server_error"
        self.response["error"] = {"code": code, "message": problem.message}
        self._end("failed")

    def tell_end(self) -> None:
        """Tell what has become of it."""
        self._tell_whole(f"response.{self.response['status']}")

    def error_frame(self, problem: LinariteError) -> bytes:
        """The last event of a stream that fails."""
        return self._frame("error", {"error": error_told(problem)})

    def _end(self, status: str) -> None:
        response = self.response
        response["status"] = status
        response["output"] = self._output.items
        if status == "completed":
            response["completed_at"] = int(time.time())
        if self._filtered:
            response["content_filters"].append(filter_shown("completion", self._filtered))
        usage = self.usage
        response["usage"] = None if usage is None else usage_shown(usage)

    def _tell_whole(self, kind: str) -> None:
        self._tell(kind, {"response": self.response})

    def _tell(self, kind: str, fields: dict[str, Any]) -> None:
        if self._told:
            self._frames.append(self._frame(kind, fields))

    def _frame(self, kind: str, fields: dict[str, Any]) -> bytes:
        event = {"type": kind, "sequence_number": self._sequence} | fields
        self._sequence += 1
        return b"event: %b\ndata: %b\n\n" % (kind.encode(), encode(event))


def answer_to(request: Request, response: Response, *, told: bool) -> Answer:
    """The answer to a request; `told`: whether anybody wants its events."""
    return Answer(
        response,
        request.ids.new,
        request.tools.custom,
        logprobs=request.ask.wants_logprobs,
        told=told,
    )


def error_told(problem: LinariteError) -> dict[str, Any]:
    """An error as an event of a stream has it."""
    if isinstance(problem, UpstreamRefused):
        return problem.error
    param = problem.param if isinstance(problem, ModelError) else None
    limited = isinstance(problem, RateLimitReached)
    return {
        "type": ERROR_TYPES.get(problem.status, EngineFailed.type),
        "code": RATE_EXCEEDED if limited else problem.code or EngineFailed.code,
        "message": problem.message,
        "param": param,
    }
