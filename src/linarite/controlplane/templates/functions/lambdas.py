"""Lambda functions. Source: "Lambda functions for ARM templates"."""

from __future__ import annotations

from functools import cmp_to_key
from typing import TYPE_CHECKING

from linarite.controlplane.templates.functions.builtin import Builtin, Evaluation, asking
from linarite.controlplane.templates.problems import ExpressionFailed
from linarite.controlplane.templates.values import array, boolean, function, mapping, text

if TYPE_CHECKING:
    from linarite.controlplane.templates.values import Lambda, Value


def map_(evaluation: Evaluation, members: Value, each: Value) -> Value:
    """The lambda's value for each member."""
    return [
        _with_index(evaluation, function(each), 1, at, member)
        for at, member in enumerate(array(members))
    ]


def filter_(evaluation: Evaluation, members: Value, keep: Value) -> Value:
    """The members for which the lambda is true."""
    return [
        member
        for at, member in enumerate(array(members))
        if boolean(_with_index(evaluation, function(keep), 1, at, member))
    ]


def reduce(evaluation: Evaluation, members: Value, start: Value, fold: Value) -> Value:
    """The members folded into one value."""
    folded = start
    for at, member in enumerate(array(members)):
        folded = _with_index(evaluation, function(fold), 2, at, folded, member)
    return folded


def sort(evaluation: Evaluation, members: Value, before: Value) -> Value:
    """The members in the order that the lambda says: true when its first comes before."""
    precedes = function(before)

    def order(left: Value, right: Value) -> int:
        if boolean(evaluation.apply(precedes, left, right)):
            return -1
        return 1 if boolean(evaluation.apply(precedes, right, left)) else 0

    return sorted(array(members), key=cmp_to_key(order))


def to_object(evaluation: Evaluation, members: Value, key: Value, value: Value = None) -> Value:
    """An object with a property for each member."""
    made: dict[str, Value] = {}
    for member in array(members):
        name = text(evaluation.apply(function(key), member))
        made[name] = member if value is None else evaluation.apply(function(value), member)
    return made


def group_by(evaluation: Evaluation, members: Value, key: Value) -> Value:
    """An object with an array of members for each key."""
    groups: dict[str, list[Value]] = {}
    for member in array(members):
        groups.setdefault(text(evaluation.apply(function(key), member)), []).append(member)
    return {**groups}


def map_values(evaluation: Evaluation, whole: Value, each: Value) -> Value:
    """The object with the lambda's value for each property's value."""
    return {name: evaluation.apply(function(each), value) for name, value in mapping(whole).items()}


def _with_index(
    evaluation: Evaluation, called: Lambda, values: int, at: int, *arguments: Value
) -> Value:
    """Call with the index too, where the lambda has a name for it."""
    if len(called.names) == values + 1:
        return evaluation.apply(called, *arguments, at)
    if len(called.names) != values:
        raise ExpressionFailed(
            f"The lambda must have {values} or {values + 1} variables, it has {len(called.names)}."
        )
    return evaluation.apply(called, *arguments)


LAMBDAS: dict[str, Builtin] = {
    "filter": asking(filter_, 2),
    "groupBy": asking(group_by, 2),
    "map": asking(map_, 2),
    "mapValues": asking(map_values, 2),
    "reduce": asking(reduce, 3),
    "sort": asking(sort, 2),
    "toObject": asking(to_object, 2, 3),
}
