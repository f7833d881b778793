"""What every store of cursors does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from linarite.domain.diagnostics import Cursor

if TYPE_CHECKING:
    from linarite.domain.diagnostics import CursorStore

pytestmark = pytest.mark.anyio


def cursor(key: str, position: int = 0) -> Cursor:
    """How far one has come."""
    return Cursor(key=key, setting_id="/S", sink="ops", position=position)


async def test_cursors_are_written_over_and_forgotten(cursors: CursorStore) -> None:
    """By key; all are read in the order of their keys."""
    assert await cursors.all() == []
    for each in (cursor("b"), cursor("a", 1), cursor("b", 7)):
        await cursors.keep(each)
    assert await cursors.all() == [cursor("a", 1), cursor("b", 7)]
    await cursors.forget(["a", "never"])
    assert await cursors.all() == [cursor("b", 7)]
