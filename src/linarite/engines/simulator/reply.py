"""What the simulated model says to a chat: a text, JSON, or calls.

In order: calls where functions are offered and wanted, JSON where it is asked for, the tools'
answers where the conversation ends with them, else seeded sentences.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from linarite.domain.chat import FinishReason
from linarite.domain.errors import InvalidRequest
from linarite.engines.simulator.dice import Dice
from linarite.engines.simulator.hints import Hints
from linarite.engines.simulator.json_schema.types import SchemaTooComplex, UnsatisfiableSchema
from linarite.engines.simulator.json_schema.values import make_value
from linarite.engines.simulator.prompt import is_greeting, question_of, text_of, tool_results
from linarite.engines.simulator.prose import sentences, words
from linarite.engines.simulator.tokens import split
from linarite.engines.simulator.tool_calls import calls_for, offer_in

if TYPE_CHECKING:
    from linarite.domain.chat import ChatAsk, JsonSchemaFormat
    from linarite.engines.simulator.tool_calls import Offer

_LITERAL = re.compile(r"\{[^{}\n]{0,2000}\}")
_PROMPT_CHARACTERS = 8_000
_KEY = re.compile(r"""["'`]([A-Za-z_][\w-]{0,63})["'`]""")


TextEnd = Literal["stop", "length"]


class CallTokens(msgspec.Struct, frozen=True):
    """A call, its arguments in tokens."""

    id: str
    name: str
    arguments: list[str]


class Reply(msgspec.Struct, frozen=True):
    """One choice, in tokens: of a text or of calls."""

    finish: FinishReason
    tokens: int
    """what is counted, which includes names of functions"""
    content: list[str] = []
    calls: list[CallTokens] = []
    legacy: bool = False
    """the call is told in the form of `function_call`"""


class Speaker(msgspec.Struct, frozen=True):
    """What replies depend on besides the request."""

    seed: int
    model: str
    reply_tokens: int


def reply_to(ask: ChatAsk, speaker: Speaker, choice: int, tokens_max: int) -> Reply:
    """The reply of one choice, at most `tokens_max` tokens long.

    Raises InvalidRequest for schemas that can't be satisfied and functions that don't exist.
    """
    messages = msgspec.json.encode(ask.messages)
    dice = Dice(speaker.seed, speaker.model, messages, ask.seed, choice)
    offer = offer_in(ask)
    calls = calls_for(ask, offer, dice) if offer else []
    if offer and calls:
        made = [
            CallTokens(f"call_{dice.text(_ID_LETTERS, 24)}", call.name, split(call.arguments))
            for call in calls
        ]
        return _bounded_calls(made, offer, tokens_max)
    content = _content(ask, speaker, dice, tokens_max)
    stops = [ask.stop] if isinstance(ask.stop, str) else ask.stop or []
    kept, finish = cut(content, stops, tokens_max)
    return Reply(finish=finish, tokens=len(kept), content=kept)


_ID_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


def cut(tokens: list[str], stops: list[str], tokens_max: int) -> tuple[list[str], TextEnd]:
    """End a text before the first stop string, or after so many tokens."""
    kept = tokens[:tokens_max]
    text = "".join(kept) if stops else ""
    ends = [at for stop in stops if stop and (at := text.find(stop)) >= 0]
    if ends:
        return _first_characters(kept, min(ends)), "stop"
    return kept, "length" if len(tokens) > tokens_max else "stop"


def _first_characters(tokens: list[str], characters: int) -> list[str]:
    kept: list[str] = []
    for token in tokens:
        if characters <= 0:
            break
        kept.append(token[:characters])
        characters -= len(token)
    return kept


def _bounded_calls(calls: list[CallTokens], offer: Offer, tokens_max: int) -> Reply:
    """Calls of at most so many tokens: the last one may break off within its arguments."""
    kept: list[CallTokens] = []
    tokens = 0
    for call in calls:
        if kept and tokens >= tokens_max:
            break
        tokens += len(split(call.name))
        arguments = call.arguments[: max(0, tokens_max - tokens)]
        kept.append(msgspec.structs.replace(call, arguments=arguments))
        tokens += len(arguments)
    whole = len(kept) == len(calls) and kept[-1].arguments == calls[-1].arguments
    finish: FinishReason = "length"
    if whole and offer.forced:
        # OpenAI's words: a forced function finishes with stop.
        finish = "stop"
    elif whole:
        finish = "function_call" if offer.legacy else "tool_calls"
    return Reply(finish=finish, tokens=tokens, calls=kept, legacy=offer.legacy)


def _content(ask: ChatAsk, speaker: Speaker, dice: Dice, tokens_max: int) -> list[str]:
    wanted = ask.response_format
    if wanted is not None and wanted.type == "json_schema" and wanted.json_schema is not None:
        return split(_structured(ask, wanted.json_schema, dice))
    if wanted is not None and wanted.type == "json_object":
        return split(msgspec.json.encode(_json_object(ask, dice)).decode())
    repeated = "\n".join(tool_results(ask)).strip()
    if repeated:
        return split(repeated)
    tokens = prose(dice, speaker, tokens_max)
    if is_greeting(question_of(ask)):
        return ["Hello", "!", *tokens]
    # A reply does not start with a blank.
    return [tokens[0][1:], *tokens[1:]]


def prose(dice: Dice, speaker: Speaker, tokens_max: int) -> list[str]:
    """Sentences of about the speaker's length, but no more than are needed to see the bound."""
    length = dice.between(speaker.reply_tokens // 2, speaker.reply_tokens * 3 // 2)
    return sentences(dice, max(1, min(length, tokens_max + 1)))


def _structured(ask: ChatAsk, wanted: JsonSchemaFormat, dice: Dice) -> str:
    schema = wanted.schema if wanted.schema is not None else {"type": "object"}
    try:
        value = make_value(schema, dice, Hints(question_of(ask), schema))
    except (UnsatisfiableSchema, SchemaTooComplex) as error:
        raise InvalidRequest(
            f"Invalid schema for response_format '{wanted.name}': {error}",
            param="response_format",
            code="invalid_json_schema",
        ) from error
    return msgspec.json.encode(value).decode()


def _json_object(ask: ChatAsk, dice: Dice) -> dict[str, Any]:
    """The object written out in the question, else one with the keys quoted there.

    Where the question names no keys, those of the whole conversation count.
    """
    question = question_of(ask)
    for literal in _LITERAL.findall(question):
        for spelled in (literal, literal.replace("'", '"')):
            try:
                return msgspec.json.decode(spelled, type=dict[str, Any])
            except (msgspec.DecodeError, RecursionError):
                continue
    texts = [question, "\n".join(text_of(message.content) for message in ask.messages)]
    for text in texts:
        if keys := _KEY.findall(text[-_PROMPT_CHARACTERS:]):
            return {key: words(dice, 4) for key in keys}
    return {"answer": words(dice, 4)}
