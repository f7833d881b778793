"""Inputs that may be texts or token ids: one, or an array of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.dataplane.parts.checks import empty_array, too_long
from linarite.domain.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

TOKEN_ID_MAX = 2**31 - 1
TOKENS_MAX = 2**20
"""in one request: more than the service takes; it bounds the time that looking at each takes"""


def check_items(param: str, items: Sequence[str | int | list[int]], items_max: int) -> None:
    """Refuse empty and mixed arrays, empty token arrays, impossible ids, and too many items.

    `items` is either one array of token ids, or an array of texts, or of token-id arrays.
    """
    if not items:
        raise empty_array(param)
    if len(items) > TOKENS_MAX:
        raise too_long(param, TOKENS_MAX, len(items))
    kinds = {type(item) for item in items}
    if len(kinds) > 1:
        raise InvalidRequest(
            f"Invalid '{param}': an array must hold texts, or token ids, or arrays of token ids, "
            "not a mixture.",
            param=param,
            code="invalid_type",
        )
    if kinds == {int}:
        _check_ids(param, [item for item in items if isinstance(item, int)])
        return
    if len(items) > items_max:
        raise too_long(param, items_max, len(items))
    tokens = sum(len(item) for item in items if isinstance(item, list))
    if tokens > TOKENS_MAX:
        raise too_long(param, TOKENS_MAX, tokens)
    for at, item in enumerate(items):
        if isinstance(item, list):
            _check_ids(f"{param}[{at}]", item)


def _check_ids(param: str, ids: Sequence[int]) -> None:
    if not ids:
        raise empty_array(param)
    if min(ids) < 0 or max(ids) > TOKEN_ID_MAX:
        raise InvalidRequest(
            f"Invalid '{param}': token ids are integers from 0 up.",
            param=param,
            code="invalid_value",
        )
