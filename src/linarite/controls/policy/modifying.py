"""Changes that `modify` and `append` make to a resource before it is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from linarite.controls.policy.comparing import same
from linarite.controls.policy.fields import EVERY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from linarite.controls.policy.fields import Field


class AppendConflict(Exception):
    """`append` would replace what the request says; Azure refuses the request then."""


def changed(content: Mapping[str, Any], field: Field, operation: str, value: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    """The resource with one change; what it shares with the old one is not touched.

    `add` sets what is missing, or adds to an array that the field ends in; `addOrReplace` sets;
    `remove` removes; `append` adds, and raises AppendConflict where another value is sent.
    """
    return cast("dict[str, Any]", _changed(content, field.path, operation, value))


def _changed(whole: Any, path: tuple[str, ...], operation: str, value: Any) -> Any:  # noqa: ANN401 - any JSON
    if not path:
        return _final(whole, operation, value)
    if path[0] == EVERY:
        return _member_added(whole, operation, value)
    inside = dict(cast("Mapping[str, Any]", whole)) if isinstance(whole, dict) else {}
    name = next((key for key in inside if key.lower() == path[0].lower()), path[0])
    present = inside.get(name)
    if operation == "remove" and present is None:
        return cast("Any", whole)
    made = _changed(present, path[1:], operation, value)
    if made is None:
        inside.pop(name, None)
    else:
        inside[name] = made
    return inside


def _final(present: Any, operation: str, value: Any) -> Any:  # noqa: ANN401 - JSON
    if operation == "remove":
        return None
    if operation == "addOrReplace" or present is None:
        return value
    if operation == "append" and isinstance(present, list):
        return _member_added(present, operation, value)
    if operation == "append" and not same(present, value):
        raise AppendConflict
    return present


def _member_added(present: Any, operation: str, value: Any) -> Any:  # noqa: ANN401 - JSON
    members = [*cast("list[Any]", present)] if isinstance(present, list) else []
    if operation == "remove":
        return [each for each in members if not same(each, value)]
    new = cast("list[Any]", value) if isinstance(value, list) else [value]
    return [*members, *(each for each in new if not any(same(each, old) for old in members))]
