"""The nodes of an expression."""

from __future__ import annotations

from typing import TypeAlias

import msgspec


class Literal(msgspec.Struct, frozen=True):
    """A string or an integer."""

    value: str | int


class Call(msgspec.Struct, frozen=True):
    """`name(arguments)`, or `namespace.name(arguments)` for a function of the template's own."""

    name: str
    arguments: tuple[Node, ...]


class Access(msgspec.Struct, frozen=True):
    """`of.key`, `of[key]`; with `?` before the key, null where there is none."""

    of: Node
    key: Node
    safe: bool = False


Node: TypeAlias = "Literal | Call | Access"


def calls_in(node: Node) -> list[Call]:
    """Every call in the expression, outer ones first."""
    if isinstance(node, Literal):
        return []
    if isinstance(node, Access):
        return calls_in(node.of) + calls_in(node.key)
    return [node, *(call for argument in node.arguments for call in calls_in(argument))]
