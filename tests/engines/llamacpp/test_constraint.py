from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linarite.domain.errors import InvalidRequest
from linarite.engines.llamacpp.constraint import Constraint, SchemaCompiler
from linarite.engines.llamacpp.options import LlamacppOptions

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "properties", "items", "$defs", "anyOf", "required", "x"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)


def compiled(schema: dict[str, Any] | None, *, strict: bool = False) -> dict[str, Any]:
    """The schema as the engine gets it."""
    rule = SchemaCompiler(LlamacppOptions()).json_rule(schema, strict=strict, param="tools")
    return msgspec.json.decode(rule.removeprefix("%json "))


def test_json_is_written_without_surplus_space() -> None:
    """Small models otherwise write white space for ever."""
    guidance = compiled(None)["x-guidance"]
    assert guidance["whitespace_flexible"] is False
    assert compiled({"x-guidance": {"whitespace_flexible": True}})["x-guidance"] == guidance
    assert compiled({}, strict=True)["x-guidance"]["lenient"] is False
    assert guidance["lenient"] is True


PAIR = {"type": "object", "properties": {"a": {"type": "string"}, "b": {}}, "required": ["a"]}


@pytest.mark.parametrize(
    ("schema", "places"),
    [
        (PAIR, [[]]),
        ({"type": "array", "items": PAIR}, [["items"]]),
        ({"$ref": "#/$defs/p", "$defs": {"p": PAIR}}, [["$defs", "p"]]),
        ({"anyOf": [PAIR, PAIR]}, [["anyOf", 0], ["anyOf", 1]]),
        ({"type": "object", "properties": {"x": PAIR}}, [[], ["properties", "x"]]),
    ],
)
def test_objects_keep_to_their_properties(
    schema: dict[str, Any], places: list[list[str | int]]
) -> None:
    """What a schema merely does not forbid is not generated."""
    for place in places:
        node: Any = compiled(schema)
        for step in place:
            node = node[step]
        assert node["additionalProperties"] is False


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object"},
        {"type": "object", "properties": {}},
        {**PAIR, "additionalProperties": {"type": "integer"}},
        {**PAIR, "patternProperties": {"^x": {}}},
        {**PAIR, "required": ["a", "elsewhere"]},
        {"allOf": [PAIR, {"properties": {"c": {}}}]},
        {**PAIR, "anyOf": [{"required": ["b"]}]},
        {**PAIR, "$ref": "#/$defs/p", "$defs": {"p": {"properties": {"z": {}}}}},
    ],
)
def test_objects_that_may_need_more_stay_open(schema: dict[str, Any]) -> None:
    """Where closing could forbid what the schema demands, nothing is changed."""
    sent = compiled(schema)
    del sent["x-guidance"]
    assert sent == schema


@given(JSON, JSON)
def test_any_json_is_taken(schema: object, required: object) -> None:
    """Whatever a client sends for a schema is translated or refused, never an accident."""
    asked = {"properties": {"any": schema}, "items": schema, "required": required}
    assert "x-guidance" in compiled(asked)


def test_schemas_are_bounded() -> None:
    """Size and depth have limits that the refusal names."""
    deep: dict[str, Any] = {"type": "string"}
    for _ in range(60):
        deep = {"properties": {"a": deep}}
    for schema, words in ((deep, "nested too deeply"), ({"x": "y" * 200_000}, "131072")):
        with pytest.raises(InvalidRequest, match=words) as refused:
            compiled(schema)
        assert refused.value.param == "tools"
        assert refused.value.code == "invalid_function_parameters"


def test_trial_and_grammar_share_their_rules() -> None:
    """The trial proves what the grammar will do."""
    constraint = Constraint('answer: "yes"\n', "response_format")
    assert constraint.grammar.endswith(constraint.rules)
    assert constraint.trial.endswith(constraint.rules)
    assert constraint.trial != constraint.grammar
