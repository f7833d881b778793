"""A template made ready: what to write, in which order, and what it answers in the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import msgspec

from linarite.controlplane.templates.document import Template, read_template
from linarite.controlplane.templates.evaluation import Evaluator
from linarite.controlplane.templates.expansion import expand, unprocessable
from linarite.controlplane.templates.facts import Facts, FactWanted
from linarite.controlplane.templates.functions import find_function
from linarite.controlplane.templates.order import Dependencies, put_in_order
from linarite.controlplane.templates.parameter_types import complaints, resolved
from linarite.controlplane.templates.parameters import (
    calls_of,
    settle_parameters,
    shown,
    shown_parameters,
)
from linarite.controlplane.templates.problems import (
    ArgumentUnfit,
    ExpressionFailed,
    Problem,
    TemplateRefused,
)
from linarite.controlplane.templates.scope import Names, Place, Scope
from linarite.controlplane.templates.secrets import Secrets, secrets_of
from linarite.controlplane.templates.values import find, get, mapping, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from linarite.controlplane.templates.facts import Surroundings
    from linarite.controlplane.templates.planned import PlannedResource, Register
    from linarite.controlplane.templates.values import Value

    _Object = dict[str, Value]

TEMPLATE_ONLY = frozenset(
    {
        "apiversion",
        "asserts",
        "comments",
        "condition",
        "copy",
        "dependson",
        "existing",
        "import",
        "metadata",
        "name",
        "resourcegroup",
        "resources",
        "scope",
        "subscriptionid",
        "type",
    }
)
"""what a declaration says to the template engine; the rest is the resource's body"""


class Nested(msgspec.Struct, frozen=True):
    """The template of a deployment within a deployment, ready to be planned in its turn."""

    template: _Object
    parameters: _Object
    """name → value, evaluated outside"""
    outer: bool
    """its expressions are those of the template around it"""


class Plan:
    """What one template does at one place with one set of parameters."""

    def __init__(
        self, template: Template, scope: Scope, values: dict[str, Value], place: Place
    ) -> None:
        self.template = template
        self.scope = scope
        self.values = values
        self.secrets = Secrets()
        """what must not be shown of it"""
        self._place = place
        self.register: Register = expand(template.resources, scope, place)
        self.order: list[PlannedResource]
        self.dependencies: Dependencies
        self.order, self.dependencies = put_in_order(self.register, scope)

    @property
    def resources(self) -> list[PlannedResource]:
        """What is written, in order."""
        return [resource for resource in self.order if resource.is_written]

    def shown_parameters(self) -> _Object:
        """The parameters with types; secrets without values, also under another name."""
        return self.secrets.hidden(shown_parameters(self.template, self.values))

    def body(self, resource: PlannedResource, facts: Facts) -> _Object:
        """What to PUT. Raises FactWanted, ExpressionFailed."""
        source = {
            name: value
            for name, value in resource.source.items()
            if name.lower() not in TEMPLATE_ONLY
        }
        if resource.is_nested:
            source = without_template(source)
        return self._evaluated(source, resource.place, facts)

    def nested(self, resource: PlannedResource, facts: Facts) -> Nested:
        """The template of a nested deployment. Raises FactWanted, ExpressionFailed."""
        properties = mapping(get(resource.source, "properties"))
        template = get(properties, "template")
        if not isinstance(template, dict):
            raise ExpressionFailed(
                f"The deployment '{resource.declared.name}' must carry its template inline. "
                "'templateLink' is not supported here: nothing is fetched from outside. Compile "
                "modules into the template, as Bicep does."
            )
        options = get(properties, "expressionEvaluationOptions")
        scope = get(mapping(options), "scope") if options is not None else None
        outer = scope is None or text(scope).lower() != "inner"
        given = self._evaluated(mapping(get(properties, "parameters") or {}), resource.place, facts)
        return Nested(template, parameter_values(given), outer)

    def outputs(self, facts: Facts) -> _Object:
        """Name → type and value, of secrets the type. Raises FactWanted, TemplateRefused."""
        made: _Object = {}
        problems: list[Problem] = []
        for name, definition in self.template.outputs.items():
            try:
                made.update(self._output(name, definition, facts))
            except (ExpressionFailed, ArgumentUnfit) as reason:
                problems.append(
                    Problem(
                        f"The template output '{name}' is not valid: {reason}",
                        code="DeploymentOutputEvaluationFailed",
                        target=name,
                    )
                )
        if problems:
            raise TemplateRefused(problems)
        return made

    def _output(self, name: str, definition: _Object, facts: Facts) -> _Object:
        evaluator = Evaluator(self.scope, msgspec.structs.replace(self._place, facts=facts))
        if evaluator.value(get(definition, "condition")) is False:
            return {}
        loop = get(definition, "copy")
        value: Value
        if loop is not None:
            value = evaluator.loop(mapping(loop), own=True)
        else:
            value = evaluator.value(get(definition, "value"))
        declared = resolved(definition, self.template.definitions)
        for reason in complaints(name, value, declared, self.template.definitions):
            raise ExpressionFailed(reason.replace("template parameter", "template output"))
        return {name: shown(declared, value)}

    def _evaluated(self, source: _Object, place: Place, facts: Facts) -> _Object:
        here = msgspec.structs.replace(place, facts=facts)
        made = mapping(Evaluator(self.scope, here).value(source))
        return {name: value for name, value in made.items() if value is not None}


def draft(
    document: object,
    parameters: Mapping[str, Value],
    surroundings: Surroundings,
    secrets: Secrets | None = None,
) -> Plan:
    """Plan a template. Raises TemplateRefused with everything that is wrong with it.

    `secrets` are those that came in from the template outside, under whatever name.
    """
    template = read_template(document)
    kept = secrets_of(template, parameters) | (secrets or Secrets())
    try:
        return _drafted(template, parameters, surroundings, kept)
    except TemplateRefused as refusal:
        problems = [
            msgspec.structs.replace(problem, message=kept.hidden_in(problem.message))
            for problem in refusal.problems
        ]
        raise TemplateRefused(problems) from None


def _drafted(
    template: Template,
    parameters: Mapping[str, Value],
    surroundings: Surroundings,
    secrets: Secrets,
) -> Plan:
    values = settle_parameters(template, parameters, surroundings)
    names = Names(values, template.variables, template.functions)
    plan = Plan(template, Scope(names, surroundings), values, Place())
    plan.secrets = secrets | secrets_of(template, values)
    problems = [*_unready(plan)]
    if problems:
        raise TemplateRefused(problems)
    return plan


def draft_nested(
    outside: Plan, resource: PlannedResource, nested: Nested, surroundings: Surroundings
) -> Plan:
    """Plan the template of a nested deployment. Raises TemplateRefused.

    In an outer scope, parameters, variables, functions and copy loops are those of the template
    around it, and so is what `resourceGroup()` and `deployment()` answer; only ids are made where
    the nested deployment goes.
    """
    if not nested.outer:
        return draft(nested.template, nested.parameters, surroundings, outside.secrets)
    template = read_template(nested.template)
    scope = Scope(outside.scope.names, surroundings, outside.scope)
    plan = Plan(template, scope, {}, resource.place)
    plan.secrets = outside.secrets
    return plan


def parameter_values(given: _Object) -> _Object:
    """Name → value of `{"name": {"value": …}}`. Raises ExpressionFailed for what is no value."""
    values: _Object = {}
    for name, wrapped in given.items():
        if not isinstance(wrapped, dict) or find(wrapped, "value") is None:
            raise ExpressionFailed(
                f"The parameter '{name}' must be given as an object with a 'value'. References to "
                "a key vault are not supported here: pass the value."
            )
        values[name] = get(wrapped, "value")
    return values


def without_template(body: _Object) -> _Object:
    """The body of a nested deployment without what is evaluated on its own."""
    properties = {
        name: value
        for name, value in mapping(get(body, "properties") or {}).items()
        if name.lower() not in {"template", "parameters"}
    }
    return {**body, "properties": cast("Value", properties)}


def _unready(plan: Plan) -> Iterator[Problem]:
    """What can be seen to fail before anything is deployed."""
    for resource in plan.resources:
        reasons = [*_unknown_words(resource)]
        try:
            if not reasons:
                plan.body(resource, {})
        except FactWanted:
            pass
        except (ExpressionFailed, ArgumentUnfit) as reason:
            reasons.append(str(reason))
        for reason in reasons:
            yield unprocessable(resource.declared.name, ExpressionFailed(reason))


def _unknown_words(resource: PlannedResource) -> Iterator[str]:
    source: Any = resource.source
    if resource.is_nested:
        source = without_template(resource.source)
    for call in calls_of({key: value for key, value in source.items() if key != "resources"}):
        known = "." in call.name or call.name.lower() == "lambda" or find_function(call.name)
        if not known:
            yield (
                f"The template function '{call.name}' is not valid. Please see "
                "https://aka.ms/arm-functions for usage details."
            )
