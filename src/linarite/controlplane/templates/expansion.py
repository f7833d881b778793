"""From declarations to resources: copy loops run, children found, names and ids made.

Source: "Resource iteration", "Set name and type for child resources", "Set scope for extension
resources" and "Conditional deployment in ARM templates".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import msgspec

from linarite.controlplane.templates.evaluation import Evaluator
from linarite.controlplane.templates.functions.builtin import Declared
from linarite.controlplane.templates.planned import PlannedResource, Register
from linarite.controlplane.templates.problems import (
    ArgumentUnfit,
    ExpressionFailed,
    Problem,
    TemplateRefused,
    validation_failed,
)
from linarite.controlplane.templates.resource_ids import GROUP_TYPE, provider_id
from linarite.controlplane.templates.values import find, get, mapping, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from linarite.controlplane.templates.scope import Place, Scope
    from linarite.controlplane.templates.values import Value

    _Object = dict[str, Value]

RESOURCES_MAX = 800


def expand(declarations: tuple[tuple[str, _Object], ...], scope: Scope, place: Place) -> Register:
    """Every resource of the template. Raises TemplateRefused with all problems."""
    expansion = _Expansion(scope)
    scope.register = expansion.register
    for symbol, declaration in declarations:
        expansion.declaration(symbol, declaration, place, None)
    written = [resource for resource in expansion.register.resources if resource.is_written]
    if len(written) > RESOURCES_MAX:
        expansion.problems.append(
            validation_failed(
                f"The number of template resources limit exceeded. Limit: '{RESOURCES_MAX}' and "
                f"actual: '{len(written)}'"
            )
        )
    expansion.problems += _defined_twice(written)
    if expansion.problems:
        raise TemplateRefused(expansion.problems)
    return expansion.register


class _Expansion:
    """The register as it fills, and what was found wrong on the way."""

    def __init__(self, scope: Scope) -> None:
        self.register = Register()
        self.problems: list[Problem] = []
        self._scope = scope

    def declaration(
        self, symbol: str, source: _Object, place: Place, parent: PlannedResource | None
    ) -> None:
        """Add what one declaration means: a resource, or one for each round of its loop."""
        label = symbol or str(get(source, "name"))
        try:
            for loop, at, inner in self._rounds(source, place):
                index = "" if at is None else f"[{at}]"
                planned = self._resource(symbol, index, source, inner, parent)
                planned = msgspec.structs.replace(planned, loop=loop)
                self.register.add(planned)
                for child_symbol, child in _children(source):
                    self.declaration(child_symbol, child, inner, planned)
        except (ExpressionFailed, ArgumentUnfit) as reason:
            self.problems.append(unprocessable(label, reason))

    def _rounds(self, source: _Object, place: Place) -> Iterator[tuple[str, int | None, Place]]:
        """Loop, index and place for every round; one round without a loop."""
        loop = get(source, "copy")
        if loop is None:
            yield "", None, place
            return
        settings = mapping(loop)
        name = text(get(settings, "name") or "")
        for at in range(Evaluator(self._scope, place).copy_count(settings)):
            copies = {**place.copies, name.lower(): at, "": at}
            yield name, at, msgspec.structs.replace(place, copies=copies)

    def _resource(
        self,
        symbol: str,
        index: str,
        source: _Object,
        place: Place,
        parent: PlannedResource | None,
    ) -> PlannedResource:
        evaluator = Evaluator(self._scope, place)
        kind = self._word(evaluator, source, "type")
        name = self._word(evaluator, source, "name")
        if parent is not None:
            kind = f"{parent.declared.type}/{kind}"
            name = f"{parent.declared.name}/{name}"
        condition = evaluator.value(get(source, "condition"))
        if condition is not None and not isinstance(condition, bool):
            raise ExpressionFailed("The condition must evaluate to a boolean.")
        try:
            resource_id = provider_id(self._base(evaluator, source, kind), kind, name)
        except ValueError as reason:
            raise ExpressionFailed(
                f"The template resource '{name}' is not valid: {reason}"
            ) from None
        version = self._word(evaluator, source, "apiVersion")
        return PlannedResource(
            key=f"{symbol}{index}" if symbol else resource_id,
            declared=Declared(id=resource_id, type=kind, name=name, api_version=version),
            source=source,
            place=place,
            symbol=symbol,
            condition=condition is not False,
            existing=get(source, "existing") is True,
            parent="" if parent is None else parent.key,
        )

    def _word(self, evaluator: Evaluator, source: _Object, name: str) -> str:
        value = evaluator.value(get(source, name))
        if not isinstance(value, str) or not value.strip("/"):
            raise ExpressionFailed(f"The template resource must have a '{name}' that is a string.")
        return value.strip("/")

    def _base(self, evaluator: Evaluator, source: _Object, kind: str) -> str:
        """The id of what the resource is deployed to."""
        home = self._scope.home
        given = evaluator.value(get(source, "scope"))
        if given is not None:
            wanted = text(given).rstrip("/")
            if wanted == "" or wanted.startswith("/"):
                return wanted
            return f"{home.scope_id}/providers/{wanted}"
        subscription = evaluator.value(get(source, "subscriptionId"))
        group = evaluator.value(get(source, "resourceGroup"))
        base = str(home.subscription["id"])
        if subscription is not None:
            base = f"/subscriptions/{text(subscription)}"
        if group is not None:
            return f"{base}/resourceGroups/{text(group)}"
        at_subscription = subscription is not None or kind.lower() == GROUP_TYPE
        return base if at_subscription else home.scope_id


def unprocessable(label: str, reason: Exception) -> Problem:
    """A problem with an expression of a resource."""
    return Problem(
        f"Unable to process template language expressions for resource '{label}'. '{reason}'",
        target=label,
    )


def _children(source: _Object) -> Iterator[tuple[str, _Object]]:
    declared = get(source, "resources")
    if isinstance(declared, dict):
        for symbol, child in declared.items():
            yield symbol, mapping(child)
    elif declared is not None:
        for child in cast("list[Value]", declared):
            yield "", mapping(child)


def _defined_twice(resources: list[PlannedResource]) -> Iterator[Problem]:
    seen: dict[str, Value] = {}
    for resource in resources:
        if find(seen, resource.id.lower()) is not None:
            yield validation_failed(
                f"The resource '{resource.id}' is defined multiple times in a template. Please see "
                "https://aka.ms/arm-syntax-resources for usage details",
                resource.id,
            )
        seen[resource.id.lower()] = None
