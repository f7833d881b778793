"""Which functions a model would call for a request, and with which arguments."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from linarite.domain.chat import FunctionDefinition, NamedFunction, NamedToolChoice
from linarite.domain.errors import InvalidRequest
from linarite.engines.simulator.hints import Hints, places_in
from linarite.engines.simulator.json_schema.types import (
    SchemaTooComplex,
    UnsatisfiableSchema,
    is_object,
)
from linarite.engines.simulator.json_schema.values import make_value
from linarite.engines.simulator.prompt import is_greeting, question_of, tool_results

if TYPE_CHECKING:
    from linarite.domain.chat import ChatAsk
    from linarite.engines.simulator.dice import Dice

_NAME_WEIGHT = 4
_WORD_LETTERS_MIN = 3
_COMMON = (
    "the and for you your are this that with from what who how can use using call tool tools "
    "function please get set given value"
)


class Offer(msgspec.Struct, frozen=True):
    """The functions of a request and what it says about calling them."""

    functions: list[FunctionDefinition]
    forced: str = ""
    """the one function that must be called"""
    required: bool = False
    """some function must be called"""
    several: bool = True
    """one reply may hold several calls"""
    legacy: bool = False
    """asked for with `functions` instead of `tools`"""


class Call(msgspec.Struct, frozen=True):
    """A call: the function and its arguments as JSON text."""

    name: str
    arguments: str


def offer_in(ask: ChatAsk) -> Offer | None:
    """The functions a reply may call, or None."""
    if ask.tools:
        choice = ask.tool_choice
        if choice == "none":
            return None
        return Offer(
            functions=[tool.function for tool in ask.tools],
            forced=choice.function.name if isinstance(choice, NamedToolChoice) else "",
            required=choice == "required",
            several=ask.parallel_tool_calls is not False,
        )
    if ask.functions and ask.function_call != "none":
        forced = ask.function_call
        return Offer(
            functions=ask.functions,
            forced=forced.name if isinstance(forced, NamedFunction) else "",
            several=False,
            legacy=True,
        )
    return None


def calls_for(ask: ChatAsk, offer: Offer, dice: Dice) -> list[Call]:
    """The calls a reply consists of; empty where the model would rather talk.

    Raises InvalidRequest for a forced function that is not offered, or parameters that are no
    schema or that nothing satisfies.
    """
    question = question_of(ask)
    if offer.forced:
        return _calls(_named(offer), offer, question, dice)
    best, overlap = _best(offer.functions, question)
    if offer.required:
        return _calls(best, offer, question, dice)
    if tool_results(ask) or is_greeting(question):
        return []
    wants_json = ask.response_format is not None and ask.response_format.type != "text"
    if wants_json and not overlap:
        return []
    return _calls(best, offer, question, dice)


def _named(offer: Offer) -> FunctionDefinition:
    for function in offer.functions:
        if function.name == offer.forced:
            return function
    raise InvalidRequest(
        f"'{offer.forced}' is forced, but no such function is among those offered.",
        param="function_call" if offer.legacy else "tool_choice",
    )


def _best(functions: list[FunctionDefinition], question: str) -> tuple[FunctionDefinition, int]:
    """The function whose name and description share most words with the question."""
    asked = _words(question)
    scored = [(_overlap(function, asked, question), function) for function in functions]
    score, best = max(scored, key=lambda pair: pair[0])
    return best, score


def _overlap(function: FunctionDefinition, asked: set[str], question: str) -> int:
    by_name = len(asked & _words(function.name)) + 3 * (function.name in question)
    return _NAME_WEIGHT * by_name + len(asked & _words(function.description or ""))


def _words(text: str) -> set[str]:
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|_", " ", text).lower()
    found = {word.removesuffix("s") for word in re.findall(r"[^\W_]+", spaced)}
    return {word for word in found if len(word) >= _WORD_LETTERS_MIN} - set(_COMMON.split())


def _calls(function: FunctionDefinition, offer: Offer, question: str, dice: Dice) -> list[Call]:
    schema = function.parameters or {"type": "object", "properties": {}}
    places = places_in(question)
    if offer.several and len(places) > 1 and _takes_text(schema):
        asked = [_about_one_place(question, schema, place) for place in places]
    else:
        asked = [Hints(question, schema)]
    return [Call(function.name, _arguments(function, schema, hints, dice)) for hints in asked]


def _about_one_place(question: str, schema: dict[str, Any], place: str) -> Hints:
    hints = Hints(question, schema)
    hints.places = [place]
    return hints


def _takes_text(schema: dict[str, Any]) -> bool:
    properties = schema.get("properties")
    return is_object(properties) and '"string"' in msgspec.json.encode(properties).decode()


def _arguments(
    function: FunctionDefinition, schema: dict[str, Any], hints: Hints, dice: Dice
) -> str:
    # Arguments are always an object, even where the schema does not say so.
    wanted = schema if "type" in schema else {**schema, "type": "object"}
    try:
        value = make_value(wanted, dice, hints)
    except (UnsatisfiableSchema, SchemaTooComplex) as error:
        raise InvalidRequest(
            f"Invalid schema for function '{function.name}': {error}",
            param="tools[].function.parameters",
            code="invalid_function_parameters",
        ) from error
    return msgspec.json.encode(value).decode()
