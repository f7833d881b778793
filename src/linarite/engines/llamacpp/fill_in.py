"""Filling in the middle: a prompt of the vocabulary's own markers, and nothing made up around it.

llama.cpp's `/infill` puts the name of a repository and of a file before the text, and cuts prefix
and suffix to what fits into one batch. So it is only asked once, which markers it would use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from linarite.engines.llamacpp.socket_client import EngineRefusal
from linarite.engines.llamacpp.tokenizing import marker_tokens_of, plain_tokens_of, tokens_of

if TYPE_CHECKING:
    from linarite.domain.completion import Prompt
    from linarite.engines.llamacpp.socket_client import SocketClient

_BEFORE, _AFTER = "LINARITE", "ETIRANIL"


class _Shown(msgspec.Struct, frozen=True):
    """What `/infill` says of its own prompt."""

    prompt: str = ""


class FillIn(msgspec.Struct, frozen=True):
    """How a model is asked for what comes between a prefix and a suffix."""

    begin: list[int]
    """what every prompt of the model begins with; often nothing"""
    prefix: int
    suffix: int
    middle: int

    async def prompt(self, client: SocketClient, before: Prompt, after: str) -> list[int]:
        """The prompt: prefix, suffix, middle. Text that spells a marker is plain text."""
        first = before if isinstance(before, list) else await plain_tokens_of(client, before)
        second = await plain_tokens_of(client, after)
        return [*self.begin, self.prefix, *first, self.suffix, *second, self.middle]


async def find_fill_in(client: SocketClient) -> FillIn | None:
    """Look up the markers; None when the vocabulary has none."""
    probe = {"input_prefix": _BEFORE, "input_suffix": _AFTER, "n_predict": 1}
    try:
        shown = await client.ask("/infill", probe, _Shown)
    except EngineRefusal:
        return None
    head, _, rest = shown.prompt.partition(_BEFORE)
    between, _, end = rest.partition(_AFTER)
    markers = [await marker_tokens_of(client, text.strip()) for text in (head, between, end)]
    if not all(markers):
        return None
    prefix, suffix, middle = (tokens[-1] for tokens in markers)
    return FillIn(await tokens_of(client, ""), prefix, suffix, middle)
