"""Refusing text that can't fit, before the engine spends its time on cutting it into tokens.

The engine would refuse it too, but takes seconds for each megabyte to find out, and does not stop
when its caller leaves.
"""

from __future__ import annotations

from linarite.domain.errors import ContextLengthExceeded

_TOKEN_CHARACTERS_MAX = 128
"""no vocabulary in use has longer tokens; those that have so long ones have runs of blanks"""


def require_room(characters: int, context_tokens: int) -> None:
    """Raise ContextLengthExceeded when so much text makes too many tokens in any vocabulary."""
    least = characters // _TOKEN_CHARACTERS_MAX
    if least > context_tokens:
        raise ContextLengthExceeded(context_tokens, least, at_least=True)


def require_room_for_words(text: str, context_tokens: int) -> None:
    """The same for vocabularies that know no blanks: only what is between them counts."""
    if len(text) > context_tokens * _TOKEN_CHARACTERS_MAX:
        require_room(len("".join(text.split())), context_tokens)
