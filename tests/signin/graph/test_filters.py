"""`$filter` as clients of the directory write it."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linarite.signin.graph.filters import filter_of
from linarite.signin.graph.refusals import GraphRefused

ITEM = {
    "displayName": "O'Neil's App",
    "appId": "4F",
    "id": "1",
    "identifierUris": ["api://x", "https://Y.example"],
    "accountEnabled": True,
    "mail": None,
}


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("", True),
        ("displayName eq 'o''neil''s app'", True),
        ("displayName eq 'x'", False),
        ("startswith(displayName,'O''N')", True),
        ("startswith(displayName, 'x') or appId eq '4f'", True),
        ("identifierUris/any(s:s eq 'https://y.example')", True),
        ("identifierUris/any(s:s eq 'z')", False),
        ("id in ('2','1')", True),
        ("not (id eq '1') and accountEnabled eq true", False),
        ("accountEnabled eq true and mail eq null", True),
        ("id ne '1'", False),
        ("unknown eq 'x'", False),
    ],
)
def test_what_fits(text: str, fits: bool) -> None:
    """Forms that `az ad` and SDKs send."""
    assert filter_of(text)(ITEM) is fits


@pytest.mark.parametrize(
    "text",
    ["x", "x eq", "x lt 'y'", "x eq 'y' z", "(x eq 'y'", "'", "x/any(s:t eq 'y')", "(" * 50, "🦆"],
)
def test_what_is_not_understood_is_refused(text: str) -> None:
    """In Graph's words."""
    with pytest.raises(GraphRefused) as refusal:
        filter_of(text)(ITEM)
    assert refusal.value.status == 400


@given(st.text(alphabet="()'ab ,:/eqnortin$", max_size=60))
def test_nothing_else_is_ever_raised(text: str) -> None:
    """Whatever is sent is a test or a refusal."""
    with suppress(GraphRefused):
        filter_of(text)(ITEM)
