"""The values of a template's parameters: given ones and defaults, checked all at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.controlplane.templates.evaluation import Evaluator
from linarite.controlplane.templates.language.parser import is_expression, parse
from linarite.controlplane.templates.language.syntax import Call, Literal, calls_in
from linarite.controlplane.templates.parameter_types import (
    TYPES,
    complaints,
    is_secure,
    resolved,
    shown_type,
    type_of,
)
from linarite.controlplane.templates.problems import (
    ExpressionFailed,
    Problem,
    TemplateRefused,
    validation_failed,
)
from linarite.controlplane.templates.scope import Names, Place, Scope
from linarite.controlplane.templates.values import find, get

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from linarite.controlplane.templates.document import Template
    from linarite.controlplane.templates.facts import Surroundings
    from linarite.controlplane.templates.values import Value

    _Object = dict[str, Value]


def settle_parameters(
    template: Template, given: Mapping[str, Value], surroundings: Surroundings
) -> dict[str, Value]:
    """Every parameter's value by its declared name. Raises TemplateRefused with all problems."""
    problems = [*_unknown(template, given), *_undeclared_types(template)]
    values: dict[str, Value] = {}
    pending: list[str] = []
    for name, definition in template.parameters.items():
        key = find(dict(given), name)
        if key is not None and given[key] is not None:
            values[name] = given[key]
        elif find(definition, "defaultValue") is not None:
            pending.append(name)
        elif get(resolved(definition, template.definitions), "nullable") is True:
            values[name] = None
        else:
            problems.append(_not_provided(name))
    problems += _fill_defaults(template, values, pending, surroundings)
    for name, value in values.items():
        found = complaints(name, value, template.parameters[name], template.definitions)
        problems += [validation_failed(reason, name) for reason in found]
    if problems:
        raise TemplateRefused(problems)
    return values


def shown_parameters(template: Template, values: Mapping[str, Value]) -> dict[str, Value]:
    """The parameters as a deployment shows them: type and value, of secrets the type alone."""
    return {
        name: shown(resolved(template.parameters[name], template.definitions), value)
        for name, value in values.items()
    }


def shown(definition: _Object, value: Value) -> Value:
    """Type and value, of a secret the type alone."""
    if is_secure(definition):
        return {"type": shown_type(definition)}
    return {"type": shown_type(definition), "value": value}


def _unknown(template: Template, given: Mapping[str, Value]) -> Iterator[Problem]:
    declared = dict[str, "Value"]((name, None) for name in template.parameters)
    unknown = [name for name in given if find(declared, name) is None]
    if unknown:
        yield validation_failed(
            f"The template parameters '{', '.join(unknown)}' in the parameters file are not "
            "valid; they are not present in the original template and can therefore not be "
            "provided at deployment time. The only supported parameters for this template are "
            f"'{', '.join(template.parameters)}'. Please see "
            "https://aka.ms/arm-pass-parameter-values for usage details"
        )


def _undeclared_types(template: Template) -> Iterator[Problem]:
    for name, definition in template.parameters.items():
        kind = type_of(resolved(definition, template.definitions))
        if kind not in TYPES:
            yield validation_failed(
                f"The template parameter '{name}' must have a type: one of "
                f"{', '.join(sorted(TYPES))}",
                name,
            )


def _not_provided(name: str) -> Problem:
    return validation_failed(
        f"The value for the template parameter '{name}' is not provided. Please see "
        "https://aka.ms/arm-create-parameter-file for usage details",
        name,
    )


def _fill_defaults(
    template: Template, values: dict[str, Value], pending: list[str], surroundings: Surroundings
) -> Iterator[Problem]:
    """Evaluate default values, those that others refer to first."""
    waiting = dict.fromkeys(pending)
    while waiting:
        ready = [name for name in waiting if not _awaited(template, name) & _lower(waiting)]
        if not ready:
            yield validation_failed(
                f"The default values of the parameters '{', '.join(waiting)}' refer to one another"
            )
            return
        for name in ready:
            del waiting[name]
            scope = Scope(Names(values, functions=template.functions), surroundings)
            try:
                default = get(template.parameters[name], "defaultValue")
                values[name] = Evaluator(scope, Place(defaults=True)).value(default)
            except ExpressionFailed as reason:
                yield validation_failed(
                    f"The template parameter '{name}' has a default value that cannot be "
                    f"evaluated: {reason}",
                    name,
                )


def _lower(names: Mapping[str, None]) -> set[str]:
    return {name.lower() for name in names}


def _awaited(template: Template, name: str) -> set[str]:
    """The parameters that the default value of one refers to, itself too."""
    return referred_names(get(template.parameters[name], "defaultValue"), "parameters")


def referred_names(value: Value, function: str) -> set[str]:
    """The names that calls such as `parameters('x')` anywhere in a value mention."""
    names: set[str] = set()
    for call in calls_of(value):
        head = call.arguments[0] if call.arguments else None
        if call.name.lower() == function and isinstance(head, Literal):
            names.add(str(head.value).lower())
    return names


def calls_of(value: Value) -> Iterator[Call]:
    """Every function call in every expression of a value; unreadable ones are passed over."""
    if isinstance(value, str) and is_expression(value):
        try:
            yield from calls_in(parse(value))
        except ExpressionFailed:
            return
    elif isinstance(value, list):
        for member in value:
            yield from calls_of(member)
    elif isinstance(value, dict):
        for name, member in value.items():
            yield from calls_of(name)
            yield from calls_of(member)
