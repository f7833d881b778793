"""Text that spells one of the model's special tokens stays text.

llama.cpp takes `<|im_end|>` in a rendered prompt for the token that ends a message, whoever wrote
it: a user, a web page that a tool fetched. So what callers write is searched for such names before
the template is rendered. Each that is found is replaced by a mark that no template changes; in the
rendered prompt, the tokens of the name as plain text take the mark's place.

Where nothing is found, which is the rule, nothing is done and nothing is asked of the engine.
"""

from __future__ import annotations

import re
from secrets import token_hex
from typing import TYPE_CHECKING, Any

import msgspec

from linarite.domain.json_values import is_array, is_object
from linarite.engines.llamacpp.tokenizing import plain_tokens_of
from linarite.engines.llamacpp.wire import Rendered
from linarite.engines.text_chat.thinking import begins_thinking

if TYPE_CHECKING:
    from collections.abc import Collection

    from linarite.engines.llamacpp.socket_client import SocketClient

_NAME_LENGTH_MIN = 2
_NO_MATCH = re.compile(r"(?!)")


class RenderedPrompt(msgspec.Struct, frozen=True):
    """A prompt: text in which special tokens are meant, and tokens of text in which none is."""

    pieces: list[str | int]

    @property
    def as_sent(self) -> str | list[str | int]:
        """The form in which the engine takes it."""
        if len(self.pieces) == 1 and isinstance(self.pieces[0], str):
            return self.pieces[0]
        return self.pieces

    @property
    def begins_thinking(self) -> bool:
        """The template has opened a thought."""
        return isinstance(self.pieces[-1], str) and begins_thinking(self.pieces[-1])

    def followed_by(self, text: str) -> RenderedPrompt:
        """The same with a text of ours behind it."""
        *first, last = self.pieces
        if isinstance(last, str):
            return RenderedPrompt([*first, last + text])
        return RenderedPrompt([*self.pieces, text])


class SpecialText:
    """Knows the names of the special tokens, and what they are as plain text."""

    def __init__(self, client: SocketClient, names: Collection[str]) -> None:
        self._client = client
        known = sorted({name for name in names if len(name) >= _NAME_LENGTH_MIN})
        self._names = re.compile(_any_of(known)) if known else _NO_MATCH
        self._tokens: dict[str, list[int]] = {}

    def is_in(self, value: object) -> bool:
        """Whether a name stands in some text of a JSON value."""
        if isinstance(value, str):
            return self._names.search(value) is not None
        if is_object(value):
            return any(self.is_in(key) or self.is_in(item) for key, item in value.items())
        return is_array(value) and any(self.is_in(item) for item in value)

    async def render(self, body: dict[str, Any]) -> RenderedPrompt:
        """Have the template rendered. Raises EngineRefusal and HttpClientError.

        All text in `body` is the caller's, or ours and without names.
        """
        if not self.is_in(body):
            return RenderedPrompt([await self._applied(body)])
        found: list[str] = []
        mark = f"q{token_hex(8)}z"
        prompt = await self._applied(self._marked(body, mark, found))
        # The texts between the marks, and the numbers in them, by turns.
        texts = re.split(f"{mark}([0-9]+)z", prompt)
        pieces: list[str | int] = []
        for text, number in zip(texts[::2], [*texts[1::2], None], strict=True):
            if text:
                pieces.append(text)
            if number is not None:
                pieces += await self._plain(found[int(number)])
        return RenderedPrompt(pieces)

    async def _applied(self, body: object) -> str:
        fields: Any = body
        return (await self._client.ask("/apply-template", fields, Rendered)).prompt

    def _marked(self, value: object, mark: str, found: list[str]) -> object:
        def replaced(match: re.Match[str]) -> str:
            found.append(match[0])
            return f"{mark}{len(found) - 1}z"

        if isinstance(value, str):
            return self._names.sub(replaced, value)
        if is_object(value):
            return {
                self._names.sub(replaced, key): self._marked(item, mark, found)
                for key, item in value.items()
            }
        if is_array(value):
            return [self._marked(item, mark, found) for item in value]
        return value

    async def _plain(self, name: str) -> list[int]:
        known = self._tokens.get(name)
        if known is None:
            known = await plain_tokens_of(self._client, name)
            if len(known) == 1:
                # The engine knows it as one token in plain text too.
                first = await plain_tokens_of(self._client, name[:1])
                known = [*first, *await plain_tokens_of(self._client, name[1:])]
            self._tokens[name] = known
        return known


def _any_of(texts: list[str]) -> str:
    """A pattern of the sorted texts that decides by one character after the other.

    Vocabularies have thousands of special tokens that begin alike: tried one by one, they would
    make a long prompt wait.
    """
    branches: dict[str, list[str]] = {}
    for text in texts:
        if text:
            branches.setdefault(text[0], []).append(text[1:])
    tails = [re.escape(first) + _any_of(rest) for first, rest in branches.items()]
    if not tails:
        return ""
    # Of two names, one of which begins with the other, the longer one is meant.
    optional = "?" if "" in texts else ""
    return f"(?:{'|'.join(tails)}){optional}"
