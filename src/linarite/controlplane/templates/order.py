"""In which order a plan's resources are written.

Firm dependencies are those of `dependsOn` and of expressions that read another resource. Soft ones
(a child follows its parent, an id that is mentioned comes first) only order what is free.
Source: "Define the order for deploying resources in ARM templates".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.controlplane.templates.evaluation import Evaluator
from linarite.controlplane.templates.expansion import unprocessable
from linarite.controlplane.templates.functions import reads_world
from linarite.controlplane.templates.parameters import calls_of
from linarite.controlplane.templates.problems import (
    ArgumentUnfit,
    ExpressionFailed,
    Problem,
    TemplateRefused,
    validation_failed,
)
from linarite.controlplane.templates.values import get, text
from linarite.domain.arm_id import parent_id

if TYPE_CHECKING:
    from collections.abc import Iterator

    from linarite.controlplane.templates.planned import PlannedResource, Register
    from linarite.controlplane.templates.scope import Scope
    from linarite.controlplane.templates.values import Value

IDS = frozenset({"resourceid", "subscriptionresourceid", "extensionresourceid", "resourceinfo"})
Dependencies = dict[str, set[str]]
"""key of a resource → keys of those that come first"""


def put_in_order(register: Register, scope: Scope) -> tuple[list[PlannedResource], Dependencies]:
    """The resources in order, and the firm dependencies. Raises TemplateRefused."""
    problems: list[Problem] = []
    firm: Dependencies = {}
    for resource in register.resources:
        try:
            firm[resource.key] = {*_firm(resource, register, scope)} - {resource.key}
        except _Undefined as undefined:
            problems += undefined.problems
        except (ExpressionFailed, ArgumentUnfit) as reason:
            problems.append(unprocessable(resource.declared.name, reason))
    if problems:
        raise TemplateRefused(problems)
    circle = _circle(firm)
    if circle:
        raise TemplateRefused([_circular(register, circle)])
    edges = {key: {*before} for key, before in firm.items()}
    for resource in register.resources:
        for before in _soft(resource, register, scope):
            if before != resource.key and not _reaches(edges, before, resource.key):
                edges[resource.key].add(before)
    return _sorted(register.resources, edges), firm


class _Undefined(Exception):
    def __init__(self, problems: list[Problem]) -> None:
        super().__init__()
        self.problems = problems


def _firm(resource: PlannedResource, register: Register, scope: Scope) -> Iterator[str]:
    evaluator = Evaluator(scope, resource.place)
    undefined: list[Problem] = []
    for wanted in _listed(evaluator.value(get(resource.source, "dependsOn"))):
        found = register.find(wanted)
        if not found:
            undefined.append(
                validation_failed(
                    f"The resource '{wanted}' is not defined in the template. Please see "
                    "https://aka.ms/arm-syntax for usage details",
                    resource.declared.name,
                )
            )
        yield from (other.key for other in found)
    if undefined:
        raise _Undefined(undefined)
    for name in _mentioned(_own_expressions(resource), evaluator, world=True):
        yield from (other.key for other in register.find(name))


def _soft(resource: PlannedResource, register: Register, scope: Scope) -> Iterator[str]:
    evaluator = Evaluator(scope, resource.place)
    yield from (other.key for other in register.find(parent_id(resource.id)))
    for name in _mentioned(_own_expressions(resource), evaluator, world=False):
        yield from (other.key for other in register.find(name))


def _own_expressions(resource: PlannedResource) -> dict[str, Value]:
    """The declaration without its children, which depend on their own account."""
    return {name: value for name, value in resource.source.items() if name != "resources"}


def _listed(depends_on: Value) -> Iterator[str]:
    if isinstance(depends_on, list):
        for member in depends_on:
            yield from _listed(member)
    elif depends_on is not None:
        yield text(depends_on)


def _mentioned(value: Value, evaluator: Evaluator, *, world: bool) -> Iterator[str]:
    """The resources that calls read, or whose id they make; inside lambdas none are seen."""
    for call in calls_of(value):
        if not call.arguments or reads_world(call.name) != world:
            continue
        if not world and call.name.lower() not in IDS:
            continue
        try:
            named = evaluator.value_of(call.arguments[0] if world else call)
        except (ExpressionFailed, ArgumentUnfit):
            continue
        if isinstance(named, str):
            yield named


def _circle(edges: Dependencies) -> list[str]:
    """The keys along a circle; empty when there is none."""
    done: set[str] = set()
    for start in edges:
        path: list[str] = []
        stack: list[tuple[str, Iterator[str]]] = [(start, iter(sorted(edges[start])))]
        path.append(start)
        while stack and start not in done:
            key, following = stack[-1]
            before = next((other for other in following if other not in done), None)
            if before is None:
                done.add(key)
                stack.pop()
                path.pop()
            elif before in path:
                return [*path[path.index(before) :], before]
            else:
                path.append(before)
                stack.append((before, iter(sorted(edges.get(before, set())))))
    return []


def _circular(register: Register, circle: list[str]) -> Problem:
    chain = " -> ".join(register.find(key)[0].id for key in circle)
    return validation_failed(
        f"Circular dependency detected on resource: '{register.find(circle[0])[0].id}'. The circle "
        f"is {chain}. Please see https://aka.ms/arm-syntax-resources for usage details",
        register.find(circle[0])[0].declared.name,
    )


def _reaches(edges: Dependencies, start: str, goal: str) -> bool:
    """Whether `start` depends on `goal`, however far."""
    pending, seen = [start], {start}
    while pending:
        for before in edges.get(pending.pop(), set()):
            if before == goal:
                return True
            if before not in seen:
                seen.add(before)
                pending.append(before)
    return start == goal


def _sorted(resources: list[PlannedResource], edges: Dependencies) -> list[PlannedResource]:
    """Each after all that come first; else as the template has them."""
    ordered: list[PlannedResource] = []
    placed: set[str] = set()
    waiting = list(resources)
    while waiting:
        ready = next(one for one in waiting if edges[one.key] <= placed)
        waiting.remove(ready)
        placed.add(ready.key)
        ordered.append(ready)
    return ordered
