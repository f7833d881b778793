"""A template and its parameters, as they lie in files or are typed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, cast

import msgspec
import typer

from linarite.cli.arm.answers import part
from linarite.cli.arm.changes import value_of
from linarite.cli.arm.naming import typed_once
from linarite.domain.errors import SetupError

TEXT_TYPES = frozenset(("string", "securestring"))


@dataclass(frozen=True, kw_only=True)
class TemplateFlags:
    """Which template, with which parameters, to where."""

    file: Annotated[Path | None, typer.Argument(help="Template, as JSON.", show_default=False)] = (
        None
    )
    template_file: Annotated[
        Path | None, typer.Option("--template-file", "-f", help="The same.")
    ] = None
    parameters: Annotated[
        list[str] | None,
        typer.Option(
            "--parameters",
            "-p",
            help="NAME=VALUE, NAME=@FILE, a parameter file, or its JSON; several times.",
        ),
    ] = None
    name: Annotated[
        str | None,
        typer.Option("--name", "-n", help="Name of the deployment.", show_default="the file's"),
    ] = None
    resource_group: Annotated[
        str | None,
        typer.Option(
            "--resource-group",
            "-g",
            help="Resource group to deploy to.",
            show_default="that of the declared account",
        ),
    ] = None
    location: Annotated[
        str | None,
        typer.Option("--location", "-l", help="Deploy to the subscription, from this region."),
    ] = None

    @property
    def path(self) -> Path:
        """Where the template lies. Raises BadParameter, SetupError."""
        told = typed_once(_text(self.file), _text(self.template_file), "template")
        if told is None:
            raise typer.BadParameter("Name the template's file.", param_hint="FILE")
        path = Path(told)
        if path.suffix in {".bicep", ".bicepparam"}:
            command = "build-params" if path.suffix == ".bicepparam" else "build"
            raise SetupError(
                f"{path} is written in Bicep; what can be deployed is what it compiles to: "
                f"bicep {command} {path}, then name the .json file."
            )
        return path

    @property
    def deployment_name(self) -> str:
        """As typed, else the file's name without its ending."""
        return self.name or self.path.stem

    def body(self) -> dict[str, Any]:
        """What is sent: the template as it lies there, comments and all. Raises SetupError."""
        text = read_text(self.path)
        types = parameter_types(text)
        values: dict[str, Any] = {}
        for typed in self.parameters or []:
            values |= parameters_of(typed, types)
        body: dict[str, Any] = {
            "properties": {"mode": "Incremental", "template": text, "parameters": values}
        }
        if self.location:
            body["location"] = self.location
        return body


def parameters_of(typed: str, types: dict[str, str]) -> dict[str, Any]:
    """The parameters that were typed in one place, as ARM has them: name → {"value": …}.

    Whether a value is text or JSON is decided by the parameter's type, where the template says it.
    """
    if typed.startswith("{"):
        return _of_document(typed, "--parameters")
    name, equals, value = typed.partition("=")
    if not equals:
        file = Path(typed.removeprefix("@"))
        if file.suffix == ".bicepparam":
            raise SetupError(f"{file} is written in Bicep: bicep build-params {file}")
        return _of_document(read_text(file), str(file))
    if value.startswith("@"):
        value = read_text(Path(value[1:]))
    is_text = types.get(name.lower()) in TEXT_TYPES
    return {name: {"value": value if is_text else value_of(value)}}


def parameter_types(template: str) -> dict[str, str]:
    """Lower-cased names and types of a template's parameters; none of one with comments in it."""
    try:
        whole = msgspec.json.decode(template)
    except msgspec.DecodeError:
        return {}
    declared = part(cast("dict[str, Any]", whole), "parameters") if isinstance(whole, dict) else {}
    return {name.lower(): str(part(declared, name).get("type", "")).lower() for name in declared}


def read_text(path: Path) -> str:
    """A file's text. Raises SetupError."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) else problem
        raise SetupError(f"{path} can't be read: {reason}.") from None


def _of_document(text: str, where: str) -> dict[str, Any]:
    """A parameter file, or only what stands in its `parameters`."""
    try:
        whole = msgspec.json.decode(text)
    except msgspec.DecodeError as problem:
        raise SetupError(f"The parameters in {where} are no JSON: {problem}.") from None
    if not isinstance(whole, dict):
        raise SetupError(f"The parameters in {where} are no JSON object.")
    document = cast("dict[str, Any]", whole)
    return part(document, "parameters") if "contentVersion" in document else document


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
