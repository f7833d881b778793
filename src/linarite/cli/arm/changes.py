"""`--tags` and `--set`: parts of a resource as they are typed."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias, cast

import msgspec
import typer

from linarite.cli.arm.answers import part

FirstTags: TypeAlias = Annotated[
    list[str] | None, typer.Option(help="NAME=VALUE; may be given several times.")
]
OtherTags: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(help="NAME=VALUE; several times. They replace all tags; '' removes them."),
]
FirstValues: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--set", help="PATH=VALUE of any other property; several times."),
]
OtherValues: TypeAlias = Annotated[
    list[str] | None, typer.Option("--set", help="PATH=VALUE of any property; several times.")
]


def changed(
    body: dict[str, Any], tags: list[str] | None, values: list[str] | None
) -> dict[str, Any]:
    """A resource, or a part of one, with what `--tags` and `--set` say. Raises BadParameter."""
    labels = {} if tags is None else {"tags": tags_of(tags)}
    return merged(body | labels, changes_of(values or []))


def tags_of(typed: list[str]) -> dict[str, str]:
    """`team=search` → a tag; `team` alone is a tag without a value. Raises BadParameter."""
    pairs = [each.partition("=") for each in typed if each]
    if any(not name for name, _, _ in pairs):
        raise typer.BadParameter("A tag is NAME=VALUE.", param_hint="--tags")
    return {name: value for name, _, value in pairs}


def changes_of(typed: list[str]) -> dict[str, Any]:
    """`properties.disableLocalAuth=true` → the part of a resource that it means.

    A value is JSON where it can be, otherwise the text itself. Raises BadParameter.
    """
    whole: dict[str, Any] = {}
    for each in typed:
        path, equals, value = each.partition("=")
        names = path.split(".")
        if not equals or not all(names):
            raise typer.BadParameter(
                f"'{each}' is not PATH=VALUE, as in properties.disableLocalAuth=true.",
                param_hint="--set",
            )
        inner = whole
        for name in names[:-1]:
            below: object = inner.setdefault(name, {})
            if not isinstance(below, dict):
                raise typer.BadParameter(f"'{path}' lies inside a value.", param_hint="--set")
            inner = cast("dict[str, Any]", below)
        inner[names[-1]] = value_of(value)
    return whole


def value_of(text: str) -> Any:  # noqa: ANN401 - JSON
    """JSON where it can be, otherwise the text itself."""
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text


def merged(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Two parts of a resource as one; the other's values win."""
    result = dict(one)
    for name, value in other.items():
        if isinstance(result.get(name), dict) and isinstance(value, dict):
            result[name] = merged(part(result, name), part(other, name))
        else:
            result[name] = value
    return result
