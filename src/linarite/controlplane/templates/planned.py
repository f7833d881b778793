"""A resource that a template declares, once its copies are made and its name is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from linarite.controlplane.templates.functions.builtin import Declared
from linarite.controlplane.templates.scope import Place
from linarite.controlplane.templates.values import Value

if TYPE_CHECKING:
    from collections.abc import Iterable


NESTED_TYPE = "microsoft.resources/deployments"


class PlannedResource(msgspec.Struct, frozen=True):
    """One resource to write, or one that exists and is only read."""

    key: str
    """tells it from all others of the plan: its symbol with the copy's index, else its id"""
    declared: Declared
    source: dict[str, Value]
    """the declaration, not evaluated"""
    place: Place
    """the copy loops that it stands in"""
    symbol: str = ""
    loop: str = ""
    condition: bool = True
    existing: bool = False
    parent: str = ""
    """key of the resource that it is declared in, or "" at the top"""

    @property
    def id(self) -> str:
        """Its ARM id."""
        return self.declared.id

    @property
    def is_written(self) -> bool:
        """Whether the deployment writes it."""
        return self.condition and not self.existing

    @property
    def is_nested(self) -> bool:
        """Whether it is a deployment of its own, with a template of its own."""
        return self.declared.type.lower() == NESTED_TYPE


class Register:
    """All resources of a plan, found by what expressions and `dependsOn` call them."""

    def __init__(self) -> None:
        self.resources: list[PlannedResource] = []
        self._by_key: dict[str, PlannedResource] = {}
        self._groups: dict[str, list[PlannedResource]] = {}

    def add(self, resource: PlannedResource) -> None:
        """Take one more; of two with one key the first is kept for look-ups."""
        self.resources.append(resource)
        self._by_key.setdefault(resource.key.lower(), resource)
        for name in _names_of(resource):
            self._groups.setdefault(name, []).append(resource)

    def find(self, name: str) -> list[PlannedResource]:
        """The resources meant: one by key or id, those of a loop or symbol, those of a name."""
        wanted = name.lower().rstrip("/")
        exact = self._by_key.get(wanted)
        return [exact] if exact is not None else self._groups.get(wanted, [])

    def declared(self, name: str) -> list[Declared]:
        """As `find`, as far as expressions may know them."""
        return [resource.declared for resource in self.find(name)]


def _names_of(resource: PlannedResource) -> Iterable[str]:
    declared = resource.declared
    names = {
        declared.id,
        declared.name,
        f"{declared.type}/{declared.name}",
        resource.symbol,
        resource.loop,
    }
    if "/" in declared.name:
        names.add(declared.name.rsplit("/", 1)[1])
    return {name.lower() for name in names if name}
