"""A condition, taken apart."""

from __future__ import annotations

from typing import Literal as OneOf

import msgspec

from linarite.controls.authorize.wildcards import Wildcards

Reach = OneOf["any", "all"]
Value = str | float | bool


class Attribute(msgspec.Struct, frozen=True):
    """`@Request[Microsoft.Authorization/roleAssignments:PrincipalType]`."""

    key: str
    """in lower case, without what stands after the name: `@request[…:principaltype]`"""


class Literal(msgspec.Struct, frozen=True):
    """Values that stand in the condition."""

    values: tuple[Value, ...]


class ActionMatches(msgspec.Struct, frozen=True):
    """The action asked about is one of these."""

    actions: Wildcards


class SubOperationMatches(msgspec.Struct, frozen=True):
    """The action asked about is made of sub-operations, and one is this. None here is."""

    name: str


class Exists(msgspec.Struct, frozen=True):
    """The attribute is there."""

    attribute: Attribute


class Comparison(msgspec.Struct, frozen=True):
    """Two operands and how they are compared."""

    left: Attribute | Literal
    operator: str
    """in lower case, without `not`: `stringequals`"""
    right: Attribute | Literal
    negated: bool = False
    left_reach: Reach = "any"
    """whether one or every value on the left must fit"""
    right_reach: Reach = "any"
    """whether it must fit one or every value on the right"""


class Not(msgspec.Struct, frozen=True):
    """The opposite."""

    part: Expression


class Every(msgspec.Struct, frozen=True):
    """AND."""

    parts: tuple[Expression, ...]


class Some(msgspec.Struct, frozen=True):
    """OR."""

    parts: tuple[Expression, ...]


Expression = Every | Some | Not | ActionMatches | SubOperationMatches | Exists | Comparison


class Condition(msgspec.Struct, frozen=True):
    """A condition as it was written, and as it is evaluated."""

    text: str
    expression: Expression
