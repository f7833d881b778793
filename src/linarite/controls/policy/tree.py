"""The nodes of a rule's `if`."""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec


class OfField(msgspec.Struct, frozen=True):
    """A field of the resource: a common one, a tag or an alias; may be an expression."""

    name: str


class OfValue(msgspec.Struct, frozen=True):
    """Any value; the expressions in it are evaluated."""

    source: Any


class CountOfField(msgspec.Struct, frozen=True):
    """How many members an array alias selects that meet a condition."""

    field: str
    where: Node | None = None


class CountOfValue(msgspec.Struct, frozen=True):
    """How many members of an array meet a condition."""

    source: Any
    name: str = ""
    """under which `current('…')` finds the member"""
    where: Node | None = None


class Condition(msgspec.Struct, frozen=True):
    """A comparison."""

    subject: OfField | OfValue | CountOfField | CountOfValue
    operator: str
    """as Azure spells it"""
    target: Any


class AllOf(msgspec.Struct, frozen=True):
    """Every member holds."""

    members: tuple[Node, ...]


class AnyOf(msgspec.Struct, frozen=True):
    """At least one member holds."""

    members: tuple[Node, ...]


class Not(msgspec.Struct, frozen=True):
    """The member does not hold."""

    member: Node


Node: TypeAlias = "Condition | AllOf | AnyOf | Not"
