from __future__ import annotations

from typing import Any

import pytest

from linarite.domain.json_values import is_deeper


def nested(levels: int, innermost: Any) -> Any:  # noqa: ANN401 - JSON
    """Arrays and objects in turn, so many levels, around something."""
    value = innermost
    for level in range(levels):
        value = [1, value] if level % 2 else {"a": value}
    return value


@pytest.mark.parametrize("innermost", [None, "text", 1.5])
def test_levels_are_objects_and_arrays_in_one_another(innermost: object) -> None:
    """What stands in the innermost is no level."""
    assert not is_deeper(innermost, 0)
    assert not is_deeper(nested(3, innermost), 3)
    assert is_deeper(nested(4, innermost), 3)


@pytest.mark.parametrize("empty", [[], {}])
def test_an_empty_one_is_a_level(empty: object) -> None:
    """It is to be read and written as well."""
    assert not is_deeper(nested(2, empty), 3)
    assert is_deeper(nested(3, empty), 3)


def test_what_is_too_deep_for_calls_of_itself() -> None:
    """It is looked at no further than asked."""
    assert is_deeper(nested(100_000, None), 64)
