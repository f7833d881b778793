"""Flags that commands about the directory share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path  # noqa: TC003 - typer reads the annotation
from typing import Annotated

import typer

from linarite.domain.errors import SetupError


@dataclass(frozen=True, kw_only=True)
class AppNamed:
    """Which application."""

    app: Annotated[str, typer.Argument(help="Its client id, object id or name.")]


@dataclass(frozen=True, kw_only=True)
class UserNamed:
    """Which user."""

    user: Annotated[str, typer.Argument(help="Their user name, object id or display name.")]


@dataclass(frozen=True, kw_only=True)
class GroupNamed:
    """Which group."""

    group: Annotated[str, typer.Argument(help="Its name or object id.")]


@dataclass(frozen=True, kw_only=True)
class PrincipalNamed:
    """Which service principal."""

    principal: Annotated[str, typer.Argument(help="Its name, object id or client id.")]


@dataclass(frozen=True, kw_only=True)
class MemberFlags:
    """Who is to be in a group."""

    member: Annotated[
        str, typer.Argument(help="User name, client id, name or object id of the member.")
    ]


@dataclass(frozen=True, kw_only=True)
class PasswordFlags:
    """A user's password."""

    password_file: Annotated[
        Path | None,
        typer.Option(help="File that holds it.", show_default="one is made up and shown once"),
    ] = None

    def read(self) -> str | None:
        """The password, if a file was named. Raises SetupError."""
        if self.password_file is None:
            return None
        try:
            return self.password_file.read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as problem:
            raise SetupError(f"{self.password_file} can't be read: {problem}.") from None
