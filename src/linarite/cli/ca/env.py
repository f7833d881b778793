"""`linarite ca env`: the variables that make programs trust the local authority."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Annotated

import typer

from linarite.cli.ca.authority import authority_of
from linarite.cli.ca.bundle import write_added, write_bundle

if TYPE_CHECKING:
    from linarite.cli.commands import Commands

BUNDLED = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""Each names the only file that is trusted then: Python's ssl and httpx, OpenSSL, Go and .NET read
the first, requests and az the second, curl the third."""
ADDED = ("NODE_EXTRA_CA_CERTS",)
"""trusted beside what Node brings along"""


def env(
    context: typer.Context,
    *,
    export: Annotated[
        bool, typer.Option("--export/--no-export", help="For a shell, or NAME=VALUE lines.")
    ] = True,
) -> None:
    """Print the lines that make Python, Node, az and curl trust the local authority.

    Where a variable stands for all that is trusted, it gets a file with the public authorities of
    this machine and the local one. One that adds to them keeps what it adds in this shell already.
    """
    commands: Commands = context.obj
    authority, _ = authority_of(context)
    bundle = write_bundle(authority)
    values = {name: str(bundle) for name in BUNDLED}
    values |= {name: str(write_added(authority, commands.variable(name))) for name in ADDED}
    for name, value in values.items():
        typer.echo(f"export {name}={shlex.quote(value)}" if export else f"{name}={value}")
