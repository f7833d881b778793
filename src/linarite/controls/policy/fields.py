"""Fields: from their name in a rule to their values in a resource."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import msgspec

from linarite.controls.policy.aliases import ALIASES

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMON: dict[str, tuple[str, ...]] = {
    "name": ("name",),
    "fullname": ("fullName",),
    "kind": ("kind",),
    "type": ("type",),
    "location": ("location",),
    "id": ("id",),
    "identity.type": ("identity", "type"),
    "tags": ("tags",),
}
"""fields that every resource has, in lower case"""
_TAG = re.compile(r"tags(?:\.(?P<dotted>.+)|\[(?P<bracketed>.+)\])", re.IGNORECASE | re.DOTALL)
EVERY = "[*]"


class Field(msgspec.Struct, frozen=True):
    """Where a field lies."""

    name: str
    path: tuple[str, ...]
    type: str = ""
    """the resource type that has it; "" for all"""
    modifiable: bool = False

    @property
    def is_array(self) -> bool:
        """Whether it stands for all members of an array."""
        return EVERY in self.path


Members = Mapping[tuple[str, ...], Any]
"""array path → the member that a count has come to"""


def find_field(name: str) -> Field | None:
    """The field of a name, found without case; None when there is none."""
    lowered = name.lower()
    if lowered in COMMON:
        return Field(name, COMMON[lowered], modifiable=lowered in {"tags", "identity.type"})
    if (tag := _TAG.fullmatch(name)) is not None:
        return Field(name, ("tags", _tag_name(tag)), modifiable=True)
    alias = ALIASES.get(lowered)
    if alias is None:
        return None
    return Field(alias.name, alias.path, alias.type, alias.modifiable)


def _tag_name(tag: re.Match[str]) -> str:
    """`tags.a`, `tags[a]`, `tags['a']`; an apostrophe in quotes is doubled."""
    name = tag["dotted"] or tag["bracketed"]
    if tag["bracketed"] and len(name) > 1 and name.startswith("'") and name.endswith("'"):
        name = name[1:-1].replace("''", "'")
    return name


def select(content: Mapping[str, Any], field: Field, members: Members) -> list[Any]:
    """Every value that the field has in a resource; None where a property is missing.

    Of a field without arrays, or within the counts that have come to a member of each of its
    arrays, exactly one value. An array that is missing or none has no members.
    """
    return [value for value, _ in selected(content, field, members)]


def selected(
    content: Mapping[str, Any], field: Field, members: Members
) -> list[tuple[Any, Members]]:
    """Every value as `select` has it, with the members of the arrays that it lies in."""
    if field.type and field.type.lower() != str(content.get("type", "")).lower():
        return [] if _open_arrays(field.path, members) else [(None, members)]
    return [*_walk(content, field.path, 0, members)]


def is_collection(field: Field, members: Members) -> bool:
    """Whether it stands for several values: some of its arrays are under no count."""
    return _open_arrays(field.path, members)


def _open_arrays(path: tuple[str, ...], members: Members) -> bool:
    return any(
        part == EVERY and path_key(path[: at + 1]) not in members for at, part in enumerate(path)
    )


def path_key(path: tuple[str, ...]) -> tuple[str, ...]:
    """The form under which paths are compared."""
    return tuple(part.lower() for part in path)


def _walk(
    value: Any,  # noqa: ANN401 - JSON
    path: tuple[str, ...],
    at: int,
    members: Members,
) -> Iterator[tuple[Any, Members]]:
    if at == len(path):
        yield value, members
        return
    if path[at] != EVERY:
        yield from _walk(property_of(value, path[at]), path, at + 1, members)
        return
    key = path_key(path[: at + 1])
    if key in members:
        yield from _walk(members[key], path, at + 1, members)
        return
    inside = cast("list[Any]", value) if isinstance(value, list) else []
    for member in inside:
        yield from _walk(member, path, at + 1, {**members, key: member})


def property_of(value: Any, name: str) -> Any:  # noqa: ANN401 - JSON
    """A property found without case; None when there is no such."""
    if not isinstance(value, Mapping):
        return None
    inside = cast("Mapping[str, Any]", value)
    if name in inside:
        return inside[name]
    wanted = name.lower()
    return next((inner for key, inner in inside.items() if key.lower() == wanted), None)
