"""The authority that the commands are about."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import typer

    from linarite.cli.commands import Commands
    from linarite.web.certificates.authority import LocalAuthority, Scope


def authority_of(context: typer.Context) -> tuple[LocalAuthority, Scope]:
    """The one in the home, made if there is none yet, and what settings want it to be for.

    Raises SetupError.
    """
    from linarite.web.certificates.authority import Scope, open_authority  # noqa: PLC0415 - slow

    commands: Commands = context.obj
    place = commands.authority()
    scope = Scope(place.domain, place.local_names)
    return open_authority(place.folder, scope, place.secret), scope
