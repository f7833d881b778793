"""`linarite ca show` and `linarite ca path`."""

from __future__ import annotations

import typer

from linarite.cli.ca.authority import authority_of
from linarite.web.certificates.places import CA_FILE


def show(context: typer.Context) -> None:
    """Show the local authority: its file, its fingerprint, and what it may certify."""
    authority, _ = authority_of(context)
    certificate = authority.certificate
    typer.echo(f"file         {authority.folder / CA_FILE}")
    typer.echo(f"name         {certificate.subject.rfc4514_string()}")
    typer.echo(f"SHA-256      {authority.fingerprint}")
    typer.echo(f"of its key   {authority.key_print}")
    typer.echo(f"valid until  {certificate.not_valid_after_utc:%Y-%m-%d}")
    for position, name in enumerate(authority.permitted):
        typer.echo(f"{'certifies' if position == 0 else '':<13}{name}")


def path(context: typer.Context) -> None:
    """Print where the authority's certificate lies, which clients must trust."""
    authority, _ = authority_of(context)
    typer.echo(authority.folder / CA_FILE)
