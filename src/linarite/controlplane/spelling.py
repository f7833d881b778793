"""Names of properties as the Resource Manager reads them: in any case.

What is written `PublicNetworkAccess` means `publicNetworkAccess`; taken for a property that nobody
knows, it would leave open what its writer has closed, and pass the policies that look at it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar, cast

from msgspec import inspect

if TYPE_CHECKING:
    import msgspec

Kind = TypeVar("Kind", bound=inspect.Type)


def spelled(value: dict[str, Any], shape: type[msgspec.Struct]) -> dict[str, Any]:
    """The same with the names that a shape knows, at any depth, spelled as it has them.

    Of several spellings of one name the last counts.
    """
    return cast("dict[str, Any]", _spelled(value, _described(shape)))


@lru_cache(maxsize=256)
def _described(shape: type[msgspec.Struct]) -> inspect.Type:
    return inspect.type_info(shape)


def _spelled(value: object, shape: inspect.Type) -> object:
    if isinstance(value, list):
        items = _first_of(inspect.ListType, shape)
        entries = cast("list[object]", value)
        return [_spelled(each, items.item_type) for each in entries] if items else entries
    if isinstance(value, dict):
        known = _first_of(inspect.StructType, shape)
        entries = cast("dict[str, object]", value)
        return _with_names(entries, known) if known else entries
    return value


def _with_names(value: dict[str, object], shape: inspect.StructType) -> dict[str, object]:
    fields = {field.encode_name.lower(): field for field in shape.fields}
    found: dict[str, object] = {}
    for name, each in value.items():
        field = fields.get(name.lower())
        if field is None:
            found[name] = each
        else:
            found[field.encode_name] = _spelled(each, field.type)
    return found


def _first_of(kind: type[Kind], shape: inspect.Type) -> Kind | None:
    """The part of a type that is of a kind: itself, or one of those it may be."""
    if isinstance(shape, inspect.Metadata):
        return _first_of(kind, shape.type)
    if isinstance(shape, inspect.UnionType):
        parts = (_first_of(kind, each) for each in shape.types)
        return next((each for each in parts if each is not None), None)
    return shape if isinstance(shape, kind) else None
