"""Typing an engine's options, with refusals that say what would be right."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeVar

import msgspec

from linarite.domain.errors import SetupError

if TYPE_CHECKING:
    from linarite.domain.engine import InstanceSpec

OptionsT = TypeVar("OptionsT", bound=msgspec.Struct)


def typed_options(spec: InstanceSpec, kind: type[OptionsT]) -> OptionsT:
    """Type an instance's options. Raises SetupError that names the key and its meaning."""
    try:
        return msgspec.convert(spec.options, kind)
    except msgspec.ValidationError as error:
        raise SetupError(_explain(spec, kind, str(error))) from error


def _explain(spec: InstanceSpec, kind: type[msgspec.Struct], problem: str) -> str:
    place = f"instances.{spec.name}.options"
    match = re.fullmatch(r"(?P<what>.*?) - at `\$\.?(?P<path>.*)`", problem, re.DOTALL)
    what, path = (match["what"], match["path"]) if match else (problem, "")
    if "unknown field" in what:
        known = ", ".join(kind.__struct_fields__)
        return f"{place}: {what}. The {spec.engine} engine's options are: {known}."
    where = f"{place}.{path}" if path else place
    meaning = _meaning(kind, re.split(r"[.\[]", path)[0])
    return f"{where}: {what[:1].lower()}{what[1:]}. {meaning}".rstrip()


def _meaning(kind: type[msgspec.Struct], field: str) -> str:
    for known in msgspec.structs.fields(kind):
        if known.name == field:
            described = getattr(known.type, "__metadata__", ())
            texts = [meta.description for meta in described if meta.description]
            return f"It is: {texts[-1]}" if texts else ""
    return ""
