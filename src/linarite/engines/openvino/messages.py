"""What the gateway and the engine's process say to each other.

The order and the reports go over pipes, as JSON lines. Requests and what comes of them share one
unix socket: frames of four bytes of length and a MessagePack message.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from linarite.engines.openvino.options import OpenvinoOptions
from linarite.engines.openvino.shapes import Shape
from linarite.engines.text_chat.logprobs import TokenProbability
from linarite.engines.worker_process.order import Order
from linarite.engines.worker_process.reports import Loaded

Finish = Literal["stop", "length"]
Why = Literal["context", "template", "tokens", "constraint", "prompt", "config"]
HEAD_BYTES = 4


OpenvinoOrder = Order[OpenvinoOptions]


class OpenvinoLoaded(Loaded, frozen=True, tag="loaded"):
    """It listens."""

    context_tokens: int
    """what one request may use"""
    chat_template: bool
    knows_tools: bool
    """the template tells the model about tools"""
    knows_calls: bool
    """the template takes calls in the history"""
    fill_in_the_middle: bool
    begin_text: str
    """stands for no prompt at all"""


class ChatPrompt(msgspec.Struct, frozen=True, tag="chat"):
    """Messages for the model's template."""

    messages: list[dict[str, Any]]
    tools: list[dict[str, Any]] | None = None
    opening: str = ""
    """how the reply begins: put into the model's mouth"""
    skip_thoughts: bool = False
    """end a thought that the template has begun"""


class TextPrompt(msgspec.Struct, frozen=True, tag="text"):
    """A text to continue; with a suffix, to fill in before it."""

    text: str
    suffix: str = ""


class TokenPrompt(msgspec.Struct, frozen=True, tag="tokens"):
    """Token ids to continue; with a suffix, to fill in before it."""

    ids: list[int]
    suffix: str = ""


class Sampling(msgspec.Struct, frozen=True):
    """How tokens are chosen."""

    temperature: float
    top_p: float
    seed: int
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0


class Submit(msgspec.Struct, frozen=True, tag="submit"):
    """A request to generate one reply."""

    id: int
    prompt: ChatPrompt | TextPrompt | TokenPrompt
    sampling: Sampling
    tokens_max: int | None = None
    """None: as many as fit"""
    stops: list[str] = []
    logprobs: bool = False
    tell_prompt: bool = False
    """the prompt's text is wanted"""
    prompt_logprobs: bool = False
    constraint: Shape | None = None


class Cancel(msgspec.Struct, frozen=True, tag="cancel"):
    """Nobody waits for this reply any more."""

    id: int


class Probe(msgspec.Struct, frozen=True, tag="probe"):
    """How is it going?"""

    id: int


Request = Submit | Cancel | Probe


class Accepted(msgspec.Struct, frozen=True, tag="accepted"):
    """The reply to come has this prompt."""

    id: int
    prompt_tokens: int
    thinking: bool = False
    """the template has begun a thought"""
    prompt_text: str = ""


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """There will be no reply."""

    id: int
    why: Why
    prompt_tokens: int = 0
    tokens_max: int = 0


class Step(msgspec.Struct, frozen=True):
    """What is new in one reply."""

    id: int
    text: str
    completion_tokens: int
    """so far"""
    probabilities: list[TokenProbability] = []
    prompt_probabilities: list[TokenProbability] | None = None
    finish: Finish | None = None


class News(msgspec.Struct, frozen=True, tag="news"):
    """What one step of the batch has brought."""

    steps: list[Step]


class Status(msgspec.Struct, frozen=True, tag="status"):
    """The answer to a probe."""

    id: int
    running: int


Reply = Accepted | Refused | News | Status


def frame(message: Request | Reply) -> bytes:
    """A message with its length in front."""
    body = msgspec.msgpack.encode(message)
    return len(body).to_bytes(HEAD_BYTES, "big") + body


def take_frames(buffer: bytearray) -> list[bytes]:
    """Cut the whole messages off the front of what has been received."""
    frames: list[bytes] = []
    at = 0
    while len(buffer) - at >= HEAD_BYTES:
        size = int.from_bytes(buffer[at : at + HEAD_BYTES], "big")
        if len(buffer) - at - HEAD_BYTES < size:
            break
        at += HEAD_BYTES + size
        frames.append(bytes(buffer[at - size : at]))
    del buffer[:at]
    return frames
