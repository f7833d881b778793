"""Settings as people read them: a row for each key, and the page made of the rows."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import Any, Literal, cast, get_args, get_origin, get_type_hints

import msgspec


class Row(msgspec.Struct, frozen=True):
    """One setting, for people."""

    key: str
    kind: str
    default: Any
    """None when there is none"""
    description: str
    settable: bool
    """whether an environment variable can set it"""


def rows_of(struct: type[msgspec.Struct], prefix: str = "") -> list[Row]:
    """A section's settings and those of the sections in it, in the order of the file."""
    rows: list[Row] = []
    hints = get_type_hints(struct, include_extras=True)
    for field in msgspec.structs.fields(struct):
        hint = hints[field.name]
        if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
            rows += rows_of(hint, f"{prefix}{field.name}.")
            continue
        plain, meta = get_args(hint)[0], cast("msgspec.Meta", get_args(hint)[1])
        default = field.default if field.default is not msgspec.NODEFAULT else None
        if field.default_factory is not msgspec.NODEFAULT:
            default = field.default_factory()
        rows.append(
            Row(
                key=prefix + field.name,
                kind=kind_of(plain),
                default=default,
                description=meta.description or "",
                settable=plain in {str, int, float, bool} or get_origin(plain) is Literal,
            )
        )
    return rows


def advice(place: str, wrong: str, rows: list[Row]) -> str:
    """What would be right at a place where a decoder found something wrong; may be empty.

    `rows` name the keys of tables by the table alone: `deployments.name`, `instances.engine`.
    """
    place = re.sub(r"\[.*?\]", "", place)
    unknown = re.search(r"unknown field `(.+)`", wrong)
    if "missing required" in wrong:
        return ""
    if unknown is None:
        return next(
            (f" It is {row.kind}: {row.description}" for row in rows if row.key == place), ""
        )
    beginning = f"{place}." if place else ""
    there = dict.fromkeys(
        row.key.removeprefix(beginning).partition(".")[0]
        for row in rows
        if row.key.startswith(beginning)
    )
    alike = get_close_matches(unknown[1], there, 1)
    return f" Did you mean `{alike[0]}`?" if alike else f" There are: {', '.join(there)}."


def variable_of(key: str) -> str:
    """The environment variable that sets a key."""
    return "LINARITE_" + key.replace(".", "_").upper()


def kind_of(plain: object) -> str:
    """A field's type in words."""
    if get_origin(plain) is Literal:
        return " | ".join(str(choice) for choice in get_args(plain))
    if isinstance(plain, type) and not get_args(plain):
        words = {str: "text", int: "integer", float: "number", bool: "true or false"}
        return words.get(plain, plain.__name__)
    return "list" if get_origin(plain) is list else "table"


def page_of(rows: list[Row], tables: dict[str, list[Row]]) -> str:
    """The page: all settings, then the keys of each table that may stand in the file."""
    lines = [
        "# Settings",
        "",
        "Made from the code by `make docs`; change the descriptions there.",
        "",
        "Settings come from `linarite.toml` (in the current folder, else in the data folder, or",
        "wherever `--config` or `LINARITE_CONFIG` says) and from the environment, which wins.",
        "`linarite settings` prints the values in force and where each came from.",
        "",
        "| key | type | default | environment | meaning |",
        "| --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        variable = f"`{variable_of(row.key)}`" if row.settable else "in the file only"
        lines.append(
            f"| `{row.key}` | {_kind(row)} | {_default(row)} | {variable} | {row.description} |"
        )
    for title, keys in tables.items():
        lines += ["", f"## `{title}`", "", "| key | type | default | meaning |"]
        lines += ["| --- | --- | --- | --- |"]
        lines += [
            f"| `{row.key}` | {_kind(row)} | {_default(row)} | {row.description} |" for row in keys
        ]
    lines += [
        "",
        "A text in an instance's `options`, under `egress`, `models`, `otlp` or `quota`, or in",
        "`managed_identities`, `webhooks`, `diagnostic_sinks` or `search_services` may be",
        "`env:NAME`: it is replaced by that variable's value, so that secrets need not stand in",
        "the file.",
        "`LINARITE_MASTER_KEY` (64 hexadecimal digits) replaces the master key file that seals the",
        "account keys; `LINARITE_CONFIG` names the settings file; `LINARITE_MINIMAL=1` is",
        "`models.minimal = true`.",
        "",
    ]
    return "\n".join(lines)


def _kind(row: Row) -> str:
    return row.kind.replace("|", "\\|")


def _default(row: Row) -> str:
    """A default as one writes it in TOML."""
    if row.default is None:
        return "required"
    if isinstance(row.default, bool):
        return "`true`" if row.default else "`false`"
    if isinstance(row.default, str):
        return f'`"{row.default}"`'
    return f"`{row.default}`"
