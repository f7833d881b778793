"""A template as a document: its sections, checked for shape and for ARM's limits.

Source: "Understand the structure and syntax of ARM templates", "Template limits".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import msgspec

from linarite.controlplane.templates.problems import (
    Problem,
    TemplateRefused,
    validation_failed,
)
from linarite.controlplane.templates.scope import OwnFunction
from linarite.controlplane.templates.values import find

if TYPE_CHECKING:
    from collections.abc import Iterator

    from linarite.controlplane.templates.values import Value

LIMITS = {"parameters": 256, "variables": 512, "outputs": 64, "resources": 800}
SECTIONS = frozenset(
    {
        "$schema",
        "apiprofile",
        "contentversion",
        "definitions",
        "extensions",
        "functions",
        "imports",
        "languageversion",
        "metadata",
        "outputs",
        "parameters",
        "resources",
        "variables",
    }
)
_SYMBOLIC_VERSION = 2
_Object = dict[str, "Value"]


class Template(msgspec.Struct, frozen=True):
    """The sections of a template."""

    parameters: dict[str, _Object] = {}
    variables: _Object = {}
    functions: dict[str, OwnFunction] = {}
    resources: tuple[tuple[str, _Object], ...] = ()
    """symbol ("" in templates without symbolic names) and declaration"""
    outputs: dict[str, _Object] = {}
    definitions: dict[str, _Object] = {}


def read_template(document: object) -> Template:
    """The template in a decoded document. Raises TemplateRefused with all that is malformed."""
    if not isinstance(document, dict):
        raise TemplateRefused([validation_failed("The template must be a JSON object")])
    sections = cast("_Object", document)
    problems = [*_malformed(sections)]
    if problems:
        raise TemplateRefused(problems)
    return Template(
        parameters=cast("dict[str, _Object]", _section(sections, "parameters") or {}),
        variables=cast("_Object", _section(sections, "variables") or {}),
        functions=dict(_functions(sections)),
        resources=tuple(_resources(_section(sections, "resources"))),
        outputs=cast("dict[str, _Object]", _section(sections, "outputs") or {}),
        definitions=cast("dict[str, _Object]", _section(sections, "definitions") or {}),
    )


def _malformed(sections: _Object) -> Iterator[Problem]:
    for name in sections:
        if name.lower() not in SECTIONS:
            yield validation_failed(
                f"Could not find member '{name}' on object of type 'Template'", name
            )
    for name in ("$schema", "contentVersion"):
        if not isinstance(_section(sections, name), str):
            yield validation_failed(
                f"Required property '{name}' not found in JSON or not a string", name
            )
    if _section(sections, "resources") is None:
        yield validation_failed("Required property 'resources' not found in JSON", "resources")
    for name in ("parameters", "variables", "outputs", "definitions"):
        yield from _malformed_section(sections, name)
    yield from _malformed_resources(sections)
    yield from _malformed_functions(sections)


def _malformed_section(sections: _Object, name: str) -> Iterator[Problem]:
    section = _section(sections, name)
    if section is None:
        return
    if not isinstance(section, dict):
        yield validation_failed(f"The section '{name}' must be an object", name)
        return
    if len(section) > LIMITS.get(name, len(section)):
        yield validation_failed(
            f"The number of template {name} limit exceeded. Limit: '{LIMITS[name]}' and actual: "
            f"'{len(section)}'",
            name,
        )
    if name != "variables":
        for key, member in section.items():
            if not isinstance(member, dict):
                yield validation_failed(f"'{key}' in the section '{name}' must be an object", key)


def _malformed_resources(sections: _Object) -> Iterator[Problem]:
    resources = _section(sections, "resources")
    if resources is None:
        return
    if isinstance(resources, dict) and not _symbolic_allowed(sections):
        yield validation_failed(
            'Resources with symbolic names need "languageVersion": "2.0" in the template',
            "resources",
        )
    if not isinstance(resources, list | dict):
        yield validation_failed("The section 'resources' must be an array or an object")
        return
    members = resources if isinstance(resources, list) else [*resources.values()]
    if len(members) > LIMITS["resources"]:
        yield validation_failed(
            f"The number of template resources limit exceeded. Limit: '{LIMITS['resources']}' and "
            f"actual: '{len(members)}'",
            "resources",
        )
    if not all(isinstance(member, dict) for member in members):
        yield validation_failed("Every resource must be an object", "resources")


def _malformed_functions(sections: _Object) -> Iterator[Problem]:
    groups = _section(sections, "functions")
    if groups is None:
        return
    try:
        dict(_functions(sections))
    except (TypeError, KeyError, AttributeError, ValueError):
        yield validation_failed(
            "The section 'functions' must be an array of objects with 'namespace' and 'members'; "
            "each member has 'parameters' and 'output'",
            "functions",
        )


def _functions(sections: _Object) -> Iterator[tuple[str, OwnFunction]]:
    for group in cast("list[dict[str, Any]]", _section(sections, "functions") or []):
        for name, member in group["members"].items():
            full_name = f"{group['namespace']}.{name}"
            declared = cast("list[dict[str, Any]]", member.get("parameters") or [])
            names = tuple(str(parameter["name"]) for parameter in declared)
            yield full_name, OwnFunction(full_name, names, member["output"]["value"])


def _resources(section: Value) -> Iterator[tuple[str, _Object]]:
    if isinstance(section, dict):
        for symbol, declaration in section.items():
            yield symbol, cast("_Object", declaration)
    else:
        for declaration in cast("list[_Object]", section or []):
            yield "", declaration


def _section(sections: _Object, name: str) -> Value:
    key = find(sections, name)
    return None if key is None else sections[key]


def _symbolic_allowed(sections: _Object) -> bool:
    """Language version 2.0 and its previews, `1.9-experimental` and the like."""
    version = str(_section(sections, "languageVersion") or "1.0")
    major, _, minor = version.partition(".")
    return (major.isdigit() and int(major) >= _SYMBOLIC_VERSION) or (
        major == "1" and minor[:1] in {"9", "1"} and "experimental" in minor
    )
