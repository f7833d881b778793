"""Dimensions and filters of costs as clients write them, with the errors that teach."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import msgspec

from linarite.domain.arm_errors import ArmError, bad_request
from linarite.domain.cost_dimensions import DIMENSIONS, TAG_KEY, Condition, Dimension, tag

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class SentCondition(msgspec.Struct):
    """A comparison expression of a filter."""

    name: str
    operator: str
    values: list[str]


def refused(message: str) -> ArmError:
    """As Cost Management says it."""
    return bad_request("BadRequest", f"Invalid query definition: {message}.")


def valid(names: Iterable[str]) -> str:
    """All there are, as Azure's errors list them."""
    return ", ".join(f"'{each}'" for each in names)


def dimension_named(kind: str, name: str) -> Dimension:
    """Of a grouping or filter. Raises ArmError."""
    if kind.lower() == TAG_KEY.lower():
        return tag(name)
    if kind.lower() != "dimension":
        raise refused(f"'{kind[:60]}' is no type of grouping; valid values: Dimension, TagKey")
    found = DIMENSIONS.get(name.lower())
    if found is None:
        known = valid(each.name for each in DIMENSIONS.values())
        raise refused(f"Invalid dimension {name[:60]}; valid dimensions: {known}")
    return found


def conditions(sent: Mapping[str, Any]) -> list[Condition]:
    """All conditions of a filter. Raises ArmError."""
    found: list[Condition] = []
    for word, said in sent.items():
        if said is None:
            continue
        if word == "and" and isinstance(said, list):
            for each in cast("list[object]", said):
                if not isinstance(each, dict):
                    raise refused("filter.and must be a list of filters")
                found += conditions(cast("dict[str, Any]", each))
        elif word in {"dimensions", "dimension", "tags", "tag"}:
            found.append(_condition(word, said))
        else:
            raise refused(
                f"filter.{word[:60]} is not supported; valid ones: and, dimensions, tags, each "
                "with the operator In and several values where any of them counts"
            )
    return found


def _condition(word: str, said: object) -> Condition:
    try:
        sent = msgspec.convert(said, SentCondition)
    except msgspec.ValidationError as problem:
        raise refused(f"filter.{word}: {problem}") from None
    if sent.operator.lower() != "in":
        raise refused(f"'{sent.operator[:60]}' is no operator of a filter; valid values: In")
    kind = TAG_KEY if word.startswith("tag") else "Dimension"
    return dimension_named(kind, sent.name), frozenset(value.lower() for value in sent.values)
