"""Holding a reply to a JSON schema: grammars for llama.cpp's constrained decoding (LLGuidance).

A grammar that does not compile is only logged by the engine, which then answers unconstrained. So
each is tried once on a reply of a few tokens that only a compiled grammar can produce.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import msgspec

from linarite.domain.json_values import is_array, is_object
from linarite.engines.text_chat.schema_bounds import bounded_json, does_not_compile

if TYPE_CHECKING:
    from linarite.engines.llamacpp.options import LlamacppOptions
    from linarite.engines.llamacpp.socket_client import SocketClient

_HEADER = "%llguidance {}\n"
_CANARY = "qzx"
_CANARY_TOKENS = 3
_KNOWN_MAX = 512
_ALTERNATIVES = ("anyOf", "oneOf")
_LAYOUT = {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}


class Constraint(msgspec.Struct, frozen=True):
    """What a reply must be; `rules` define `answer`."""

    rules: str
    param: str
    """the request field it comes from, for the refusal"""

    @property
    def grammar(self) -> str:
        """The grammar to send along with a prompt."""
        return f"{_HEADER}start: answer\n{self.rules}"

    @property
    def trial(self) -> str:
        """A grammar whose replies begin with a text that no model writes by itself."""
        return f'{_HEADER}start: "{_CANARY}" answer\n{self.rules}'


class SchemaCompiler:
    """Makes grammars of schemas, within bounds."""

    def __init__(self, options: LlamacppOptions) -> None:
        self._options = options

    def json_rule(self, schema: dict[str, Any] | None, *, strict: bool, param: str) -> str:
        """The right side of a rule for JSON after `schema`; None is any object.

        `strict` refuses keywords that cannot be enforced, as the service does; else they are
        passed over. Raises InvalidRequest.
        """
        schema = {"type": "object"} if schema is None else schema
        bounded_json(schema, self._options, param)
        if not _composes(schema):
            schema = _closed(schema)
        layout = {**_LAYOUT, "coerce_one_of": True, "lenient": not strict}
        return "%json " + msgspec.json.encode({**schema, "x-guidance": layout}).decode()


class ConstraintTrials:
    """Remembers which constraints compile."""

    def __init__(self, client: SocketClient) -> None:
        self._client = client
        self._compiled: dict[bytes, None] = {}

    async def require(self, constraint: Constraint) -> None:
        """Return if the engine can hold a reply to it. Raises InvalidRequest if it cannot."""
        digest = hashlib.sha256(constraint.rules.encode()).digest()
        if digest in self._compiled:
            return
        if not await self._compiles(constraint):
            raise does_not_compile(constraint.param)
        if len(self._compiled) >= _KNOWN_MAX:
            del self._compiled[next(iter(self._compiled))]
        self._compiled[digest] = None

    async def _compiles(self, constraint: Constraint) -> bool:
        body = {
            "prompt": "The",
            "n_predict": _CANARY_TOKENS,
            "temperature": 0,
            "grammar": constraint.trial,
            "response_fields": ["content"],
        }
        reply = await self._client.ask("/completion", body, _Reply)
        # Depending on the vocabulary it takes one to three tokens, and more may follow.
        return reply.content[:1] == _CANARY[:1] and (
            reply.content.startswith(_CANARY) or _CANARY.startswith(reply.content)
        )


class _Reply(msgspec.Struct, frozen=True):
    content: str


def text_rule(text: str) -> str:
    """A rule's right side that is just this text."""
    return msgspec.json.encode(text).decode()


def _composes(node: object) -> bool:
    """Somewhere an object gets properties from more than one place."""
    if is_object(node):
        shared = "properties" in node and not {"$ref", *_ALTERNATIVES}.isdisjoint(node)
        return "allOf" in node or shared or any(_composes(value) for value in node.values())
    return is_array(node) and any(_composes(item) for item in node)


def _closed(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema without properties that it merely does not forbid.

    What it still allows fits the schema too; small models otherwise go on inventing properties.
    """
    closed = {key: _closed_value(key, value) for key, value in schema.items()}
    properties = schema.get("properties")
    if (
        is_object(properties)
        and properties
        and {"additionalProperties", "patternProperties"}.isdisjoint(schema)
        and _only_requires(schema.get("required"), properties)
    ):
        closed["additionalProperties"] = False
    return closed


def _only_requires(required: object, properties: dict[str, Any]) -> bool:
    names = required if is_array(required) else []
    return all(isinstance(name, str) and name in properties for name in names)


def _closed_value(key: str, value: object) -> object:
    if key in {"properties", "$defs", "definitions"} and is_object(value):
        return {name: _closed_if_object(item) for name, item in value.items()}
    if key in _ALTERNATIVES and is_array(value):
        return [_closed_if_object(item) for item in value]
    return _closed_if_object(value) if key == "items" else value


def _closed_if_object(value: object) -> object:
    return _closed(value) if is_object(value) else value
