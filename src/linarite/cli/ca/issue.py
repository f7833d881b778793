"""`linarite ca issue`: certificates for other servers and for clients."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from linarite.cli.ca.authority import authority_of
from linarite.domain.errors import SetupError
from linarite.web.certificates.places import LEAF_DAYS

CLIENT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")


def issue(
    context: typer.Context,
    names: Annotated[
        list[str],
        typer.Argument(help="Host names and addresses of a server, or the name of one client."),
    ],
    *,
    client: Annotated[
        bool, typer.Option("--client", help="For a client that shows it, not for a server.")
    ] = False,
    days: Annotated[
        int, typer.Option(min=1, max=825, help="How long it holds, in days.")
    ] = LEAF_DAYS,
    to: Annotated[
        Path | None,
        typer.Option(help="Files TO.crt and TO.key.", show_default="the first name, here"),
    ] = None,
) -> None:
    """Issue a certificate with a new key (ECDSA, P-256), and write both as PEM files.

    A server's certificate is for names that the authority may certify; Linarite's own listeners
    have theirs by themselves.
    """
    from linarite.web.certificates.authority import fingerprint_of, write_whole  # noqa: PLC0415 - slow

    authority, _ = authority_of(context)
    target = to or Path(names[0].replace("*", "_").replace(":", "_"))
    if client:
        if len(names) != 1 or not CLIENT_NAME.fullmatch(names[0]):
            raise SetupError(
                "A client has one name, of letters, digits, '_' and '-': it becomes the subject "
                "CN=NAME."
            )
        issued = authority.client(names[0], days)
    else:
        issued = authority.server([each.lower() for each in names], days)
    files = [target.with_name(target.name + end) for end in (".crt", ".key")]
    for file in files:
        if file.exists():
            raise SetupError(f"{file} is there already. Choose another name with --to.")
    write_whole(files[0], issued.chain, mode=0o644)
    write_whole(files[1], issued.key)
    typer.echo(f"certificate  {files[0]}")
    typer.echo(f"key          {files[1]}")
    typer.echo(f"SHA-256      {fingerprint_of(issued)}")
