"""Text to tokens and back, by the engine's process: it has the vocabulary."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.engines.llamacpp.wire import Detokenized, Tokens

if TYPE_CHECKING:
    from linarite.engines.llamacpp.socket_client import SocketClient


async def tokens_of(client: SocketClient, text: str) -> list[int]:
    """A text's tokens, just as a completion of it begins with."""
    return await _tokenize(client, text, add_special=True, parse_special=True)


async def marker_tokens_of(client: SocketClient, text: str) -> list[int]:
    """A text's tokens, the special ones it spells included, and none that is not in it."""
    return await _tokenize(client, text, add_special=False, parse_special=True)


async def plain_tokens_of(client: SocketClient, text: str) -> list[int]:
    """A text's tokens, where a special token's name is text like any other."""
    return await _tokenize(client, text, add_special=False, parse_special=False)


async def text_of(client: SocketClient, tokens: list[int]) -> str:
    """The text of tokens."""
    return (await client.ask("/detokenize", {"tokens": tokens}, Detokenized)).content


async def _tokenize(
    client: SocketClient, text: str, *, add_special: bool, parse_special: bool
) -> list[int]:
    body = {
        "content": text,
        "add_special": add_special,
        "parse_special": parse_special,
        "with_pieces": True,
    }
    reply = await client.ask("/tokenize", body, Tokens)
    return [token.id for token in reply.tokens]
