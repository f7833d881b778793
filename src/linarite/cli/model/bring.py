"""`linarite model import`: have a server bring a model into its store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from linarite.cli.arm.naming import subscription_path
from linarite.cli.arm.printed import say
from linarite.cli.arm.watching import finish, operation_link, say_operation

if TYPE_CHECKING:
    from linarite.cli.arm.server import Server


@dataclass(frozen=True, kw_only=True)
class ImportFlags:
    """What to bring."""

    source: Annotated[
        str,
        typer.Argument(
            metavar="NAME|hf:…|oci://…|pypi:…|file:…",
            help="A name of the catalogue, a reference to a hub, registry or package, or a file "
            "in the server's folder for imports.",
            show_default=False,
        ),
    ]
    name: Annotated[str, typer.Option(help="Name for the model.", show_default=False)]
    model_version: Annotated[str, typer.Option(help="Version for the model.")] = "1"
    default: Annotated[
        bool, typer.Option("--default", help="Make it the default version of its model.")
    ] = False
    watch: Annotated[
        bool, typer.Option("--watch", help="Wait until it is there, and show how far it is.")
    ] = False


async def import_model(server: Server, asked: ImportFlags) -> None:
    """Have a server bring a model into its store, in the background."""
    named = f"{asked.name}@{asked.model_version}"
    properties: dict[str, Any] = {"source": asked.source}
    if asked.default:
        properties["isDefaultVersion"] = True
    path = f"{await subscription_path(server)}/providers/Linarite.Hosting/models/{named}"
    reply = await server.send("PUT", path, body={"properties": properties})
    link = operation_link(reply)
    if link is not None and not asked.watch:
        say_operation(link)
        return
    await finish(server, reply, f"Bringing {named}")
    say(f"{named} is there.")
