"""`linarite ca renew`: a new certificate of the authority, maybe a new key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from linarite.cli.ca.authority import authority_of
from linarite.cli.ca.show import show

if TYPE_CHECKING:
    from linarite.cli.commands import Commands


def renew(
    context: typer.Context,
    *,
    new_key: Annotated[
        bool,
        typer.Option(
            "--new-key", help="A new key too: who trusted the old authority must trust the new one."
        ),
    ] = False,
) -> None:
    """Renew the authority's certificate: ten years more, for what settings say now.

    A running server takes it at once. The key stays, so who trusts the old certificate believes
    what the new one vouches for, as far as the old one permits it.
    """
    from linarite.web.certificates.authority import Scope, make_authority  # noqa: PLC0415 - slow

    commands: Commands = context.obj
    if new_key:
        place = commands.authority()
        scope = Scope(place.domain, place.local_names)
        make_authority(place.folder, scope, place.secret, replace=True)
    else:
        authority, scope = authority_of(context)
        authority.renewed(scope)
    show(context)
