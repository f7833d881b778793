"""What a template's parameters may be given, and what is said of anything else."""

from __future__ import annotations

import re
from typing import Any

import pytest

from linarite.controlplane.templates.problems import TemplateRefused
from tests.controlplane.templates.samples import plan


def refused(
    parameters: dict[str, Any],
    given: dict[str, Any],
    **sections: Any,  # noqa: ANN401 - JSON
) -> list[str]:
    """The messages with which a template with these parameters is refused."""
    with pytest.raises(TemplateRefused) as refusal:
        plan(given, parameters=parameters, **sections)
    assert all(problem.code == "InvalidTemplate" for problem in refusal.value.problems)
    return [problem.message for problem in refusal.value.problems]


def test_given_values_and_defaults_meet_without_case() -> None:
    """A value given as NAME is that of the parameter name; the others have their defaults."""
    made = plan(
        {"NAME": "x"},
        parameters={
            "name": {"type": "string"},
            "size": {"type": "int", "defaultValue": 3},
            "maybe": {"type": "string", "nullable": True},
        },
    )
    assert made.values == {"name": "x", "size": 3, "maybe": None}


def test_defaults_may_refer_to_parameters_that_come_later() -> None:
    """Default values are evaluated in the order in which they need each other."""
    made = plan(
        parameters={
            "b": {"type": "string", "defaultValue": "[concat(parameters('a'), '-b')]"},
            "a": {"type": "string", "defaultValue": "[toLower(resourceGroup().name)]"},
        }
    )
    assert made.values["b"] == "rg-b"


def test_defaults_that_refer_to_each_other_are_refused() -> None:
    """A circle of default values has no beginning."""
    circle = {
        "a": {"type": "string", "defaultValue": "[parameters('b')]"},
        "b": {"type": "string", "defaultValue": "[parameters('a')]"},
    }
    assert any("refer to one another" in message for message in refused(circle, {}))


@pytest.mark.parametrize(
    ("definition", "value", "says"),
    [
        ({"type": "string"}, 5, "Expected a value of type 'String', but received .* 'Integer'"),
        ({"type": "int"}, "5", "Expected a value of type 'Int'"),
        ({"type": "bool"}, 1, "Expected a value of type 'Bool'"),
        ({"type": "array"}, {}, "Expected a value of type 'Array'"),
        ({"type": "object"}, [], "Expected a value of type 'Object'"),
        ({"type": "string", "allowedValues": ["a", "b"]}, "c", "not part of the allowed value"),
        ({"type": "string", "minLength": 3}, "ab", "minimum '3'"),
        ({"type": "string", "maxLength": 1}, "ab", "maximum '1'"),
        ({"type": "array", "minLength": 1}, [], "minimum '1'"),
        ({"type": "int", "minValue": 3}, 2, "minimum '3'"),
        ({"type": "int", "maxValue": 3}, 4, "maximum '3'"),
        ({"type": "array", "items": {"type": "int"}}, [1, "x"], r"'p\[1\]'"),
        (
            {"type": "array", "prefixItems": [{"type": "int"}], "items": False},
            [1, 2],
            "more than 1",
        ),
        (
            {"type": "object", "properties": {"a": {"type": "int"}}},
            {"a": "x"},
            "'p.a' is not valid",
        ),
        (
            {"type": "object", "properties": {"a": {"type": "int"}}},
            {},
            "required property 'a' is missing",
        ),
        (
            {"type": "object", "properties": {}, "additionalProperties": False},
            {"b": 1},
            "property 'b' is not known",
        ),
        ({"$ref": "#/definitions/size"}, 9, "maximum '5'"),
    ],
)
def test_value_that_does_not_fit_is_refused(
    definition: dict[str, Any], value: object, says: str
) -> None:
    """Each rule of a definition is held, with ARM's code and the parameter's name."""
    definitions = {"size": {"type": "int", "maxValue": 5}}
    messages = refused({"p": definition}, {"p": value}, definitions=definitions)
    assert len(messages) == 1
    assert re.search(says, messages[0])
    assert messages[0].startswith("Deployment template validation failed: 'The provided value")


def test_allowed_values_are_compared_as_arm_does() -> None:
    """Strings without case; an array must be of allowed members."""
    made = plan(
        {"p": "standard", "q": ["a"]},
        parameters={
            "p": {"type": "string", "allowedValues": ["Standard"]},
            "q": {"type": "array", "allowedValues": ["a", "b"]},
        },
    )
    assert made.values == {"p": "standard", "q": ["a"]}


def test_all_problems_come_at_once() -> None:
    """A missing, an unknown and two unfit parameters are told together."""
    messages = refused(
        {
            "missing": {"type": "string"},
            "number": {"type": "int"},
            "sku": {"type": "string", "allowedValues": ["S0"]},
        },
        {"number": "x", "sku": "S1", "extra": 1},
    )
    assert len(messages) == 4
    whole = "\n".join(messages)
    assert "The value for the template parameter 'missing' is not provided" in whole
    assert "The template parameters 'extra' in the parameters file are not valid" in whole
    assert "only supported parameters for this template are 'missing, number, sku'" in whole


def test_secrets_are_never_shown() -> None:
    """Neither the deployment nor a refusal tells the value of a secure parameter."""
    parameters = {
        "key": {"type": "secureString", "allowedValues": ["other"]},
        "whole": {"type": "secureObject"},
    }
    messages = refused(parameters, {"key": "hunter2", "whole": {"a": "hunter2"}})
    assert "hunter2" not in str(messages)
    made = plan({"key": "other", "whole": {"a": "hunter2"}}, parameters=parameters)
    assert made.shown_parameters() == {
        "key": {"type": "SecureString"},
        "whole": {"type": "SecureObject"},
    }


def test_secret_output_is_shown_without_its_value() -> None:
    """An output of a secure type says that it is there, and no more."""
    made = plan(outputs={"s": {"type": "securestring", "value": "[toLower('HUNTER2')]"}})
    assert made.outputs({}) == {"s": {"type": "SecureString"}}
