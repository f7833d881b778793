"""Parameters of definitions: what is declared, and what an assignment gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import msgspec

from linarite.controls.policy.comparing import kind_of, same
from linarite.controls.policy.problems import INVALID_PARAMETERS
from linarite.domain.arm_errors import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "array": (list,),
    "object": (dict,),
    "boolean": (bool,),
    "integer": (int,),
    "float": (float, int),
    "datetime": (str,),
}
NAME_CHARACTERS_MAX = 128


class Parameter(msgspec.Struct, frozen=True):
    """A declared parameter."""

    name: str
    type: str
    """in lower case"""
    allowed: tuple[Any, ...] = ()
    default: Any = msgspec.UNSET

    def fits(self, value: Any) -> bool:  # noqa: ANN401 - JSON
        """Whether a value has the type."""
        if isinstance(value, bool) and self.type != "boolean":
            return False
        return isinstance(value, TYPES[self.type])

    def allows(self, value: Any) -> bool:  # noqa: ANN401 - JSON
        """Whether the value is one of the allowed ones; of an array, every member."""
        if not self.allowed:
            return True
        if isinstance(value, list) and not any(isinstance(each, list) for each in self.allowed):
            return all(self.allows(member) for member in cast("list[Any]", value))
        return any(same(value, each) for each in self.allowed)


Declared = dict[str, Parameter]
"""by lower-cased name"""


def read_parameters(source: Any, most: int) -> tuple[Declared, list[Problem]]:  # noqa: ANN401 - JSON
    """What a definition declares, and what is wrong with it."""
    if source is None:
        return {}, []
    if not isinstance(source, dict):
        return {}, [_invalid("'parameters' must be an object", "parameters")]
    declared: Declared = {}
    problems: list[Problem] = []
    entries = cast("dict[str, Any]", source)
    if len(entries) > most:
        problems.append(_invalid(f"there are more than {most} parameters", "parameters"))
    for name, told in [*entries.items()][:most]:
        parameter, found = _read(name, told, f"parameters.{name[:NAME_CHARACTERS_MAX]}")
        problems += found
        if parameter is not None:
            declared[name.lower()] = parameter
    return declared, problems


def _read(name: str, told: Any, place: str) -> tuple[Parameter | None, list[Problem]]:  # noqa: ANN401 - any JSON
    if not isinstance(told, dict):
        return None, [_invalid("a parameter is declared by an object with a 'type'", place)]
    given = {key.lower(): inner for key, inner in cast("dict[str, Any]", told).items()}
    kind = str(given.get("type") or "").lower()
    if kind not in TYPES:
        return None, [
            _invalid(
                f"the type of a parameter is one of {', '.join(TYPES)}; it is '{kind[:40]}'",
                f"{place}.type",
            )
        ]
    allowed: Any = given.get("allowedvalues") or []
    if not isinstance(allowed, list):
        return None, [_invalid("'allowedValues' must be an array", f"{place}.allowedValues")]
    default = given.get("defaultvalue", msgspec.UNSET)
    parameter = Parameter(name, kind, tuple(cast("list[Any]", allowed)), default)
    if default is msgspec.UNSET:
        return parameter, []
    problems = [
        _invalid(problem, f"{place}.defaultValue")
        for problem in _value_problems(parameter, default)
    ]
    return parameter, problems


def _value_problems(parameter: Parameter, value: Any) -> list[str]:  # noqa: ANN401 - JSON
    if not parameter.fits(value):
        told = f"'{parameter.type}'; the value is of type '{kind_of(value)}'"
        return [f"the parameter '{parameter.name}' is of type {told}"]
    if not parameter.allows(value):
        allowed = ", ".join(str(each)[:60] for each in parameter.allowed[:30])
        return [f"the value is not allowed for '{parameter.name}'; allowed are {allowed}"]
    return []


def given_problems(declared: Declared, given: Mapping[str, Any], of: str) -> list[Problem]:
    """What is wrong with the values that an assignment, or an initiative, gives.

    `given` by lower-cased name. Source: the codes are the Resource Manager's.
    """
    problems = [
        Problem(
            "UndefinedPolicyParameter",
            f"The policy {of} has no parameter '{name[:100]}'. It has "
            f"{', '.join(each.name for each in declared.values()) or 'none'}.",
            f"properties.parameters.{name[:100]}",
        )
        for name in given
        if name not in declared
    ]
    for key, parameter in declared.items():
        place = f"properties.parameters.{parameter.name}"
        if key not in given:
            if parameter.default is msgspec.UNSET:
                problems.append(
                    Problem(
                        "MissingPolicyParameter",
                        f"The policy {of} is missing the parameter '{parameter.name}': it has no "
                        "default value.",
                        place,
                    )
                )
            continue
        value = given[key]
        if not parameter.fits(value):
            problems.append(
                Problem(
                    "InvalidPolicyParameterType",
                    f"The value of the parameter '{parameter.name}' of policy {of} must be of type "
                    f"'{parameter.type}'; it is of type '{kind_of(value)}'.",
                    place,
                )
            )
        elif not parameter.allows(value):
            allowed = ", ".join(str(each)[:60] for each in parameter.allowed[:30])
            problems.append(
                Problem(
                    "PolicyParameterValueNotAllowed",
                    f"The value '{str(value)[:100]}' is not allowed for policy parameter "
                    f"'{parameter.name}' in policy {of}. The allowed values are '{allowed}'.",
                    place,
                )
            )
    return problems


def filled(declared: Declared, given: Mapping[str, Any]) -> dict[str, Any]:
    """The values by lower-cased name: those given, else the defaults."""
    values = {
        key: parameter.default
        for key, parameter in declared.items()
        if parameter.default is not msgspec.UNSET
    }
    return values | {key: value for key, value in given.items() if key in declared}


def _invalid(message: str, place: str) -> Problem:
    return Problem(
        INVALID_PARAMETERS, f"Invalid policy parameters: {message}.", f"properties.{place}"
    )
