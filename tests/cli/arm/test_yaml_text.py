"""What is written as YAML means what the JSON meant, to a reader of YAML 1.1."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from linarite.cli.arm.yaml_text import yaml_text

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


@given(VALUES)
def test_whatever_json_holds_is_read_back(value: Any) -> None:  # noqa: ANN401 - JSON
    """Floats without a point in their exponent are text in YAML 1.1, so those are compared so."""
    assert yaml.safe_load(yaml_text(value)) == as_yaml_1_1_reads(value)


@pytest.mark.parametrize("text", ["no", "ON", "null", "~", "1.0", "1e3", "0x1", "a: b", "#", "-"])
def test_text_that_looks_like_something_else_is_quoted(text: str) -> None:
    """A version "1.0" stays text, and so does Norway."""
    assert yaml.safe_load(yaml_text({text: [text]})) == {text: [text]}


def test_it_is_laid_out_for_people() -> None:
    """Blocks, and quotes only where they are needed."""
    written = yaml_text({"name": "chat", "sku": {"capacity": 1}, "tags": {}, "all": [{"a": "1"}]})
    assert written == snapshot('name: chat\nsku:\n  capacity: 1\ntags: {}\nall:\n  - a: "1"\n')


def as_yaml_1_1_reads(value: Any) -> Any:  # noqa: ANN401 - JSON
    """`1e-5` has no point, which YAML 1.1 wants of a float: there it is text."""
    if isinstance(value, float):
        return yaml.safe_load(repr_of(value))
    if isinstance(value, list):
        return [as_yaml_1_1_reads(each) for each in value]
    if isinstance(value, dict):
        return {key: as_yaml_1_1_reads(each) for key, each in value.items()}
    return value


def repr_of(value: float) -> str:
    """The float as it is written."""
    return yaml_text(value)
