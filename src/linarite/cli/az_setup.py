"""`linarite az-setup`: what makes an installed `az` talk to a server."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from linarite.cli.help_texts import examples
from linarite.cli.serving_file import SERVING_FILE, read_serving_file
from linarite.domain.target import target_of

if TYPE_CHECKING:
    from linarite.cli.commands import Commands

EXAMPLES = examples(
    ("What is to be typed?", "linarite az-setup"),
    ("Do it, in this shell:", """eval "$(linarite az-setup)" """.rstrip()),
    (
        "For a server elsewhere:",
        "linarite az-setup --endpoint https://linarite.example:8443 --ca-file ca.pem",
    ),
)


def add_to(root: typer.Typer) -> None:
    """Add the command."""
    root.command("az-setup", epilog=EXAMPLES)(az_setup)


def az_setup(
    context: typer.Context,
    *,
    endpoint: Annotated[
        str | None,
        typer.Option(help="URL of the server.", show_default="the server that runs here"),
    ] = None,
    ca_file: Annotated[
        Path | None, typer.Option(help="PEM file with the authority to trust, for private ones.")
    ] = None,
    name: Annotated[str, typer.Option(help="What az shall call the server.")] = "Linarite",
) -> None:
    """Print the lines that make an installed az talk to a server.

    The last lines, comments, say how to sign in.
    """
    commands: Commands = context.obj
    settings = commands.client()
    url = endpoint or settings.endpoint
    trusted = str(ca_file or settings.ca_file or "")
    if not url:
        serving = read_serving_file(commands.home() / SERVING_FILE)
        url = serving.https_endpoint or serving.endpoint
        trusted = trusted or (serving.ca_file or "")
    target_of(url)
    typer.echo("\n".join(lines_for(url.rstrip("/"), trusted, name)))


def lines_for(url: str, ca_file: str, name: str) -> list[str]:
    """The lines, for a shell. Source: learn.microsoft.com, "az cloud", "az rest"."""
    cloud = shlex.quote(name)
    lines: list[str] = []
    if not url.startswith("https:"):
        lines.append("# az will want https for signing in: set server.tls_certificate.")
    if ca_file:
        path = shlex.quote(str(Path(ca_file).absolute()))
        lines += [
            "# Whom az trusts in this shell, instead of the public authorities:",
            f"export REQUESTS_CA_BUNDLE={path}",
        ]
    return [
        *lines,
        "az config set core.instance_discovery=false core.collect_telemetry=no",
        f"az cloud register --name {cloud} --endpoint-resource-manager {shlex.quote(url)}",
        f"az cloud set --name {cloud}",
        "# To sign in, be a person or an application of the server's directory with a role:",
        "#   linarite identity app create operator",
        "#   linarite identity app secret add operator",
        "#   linarite role assignment create --assignee operator --role Owner --scope /",
        '#   az login --service-principal --tenant "$(linarite identity tenant)" \\',
        "#     --username APP_ID --password SECRET",
        "# Back to Azure, and to forget this server:",
        f"#   az cloud set --name AzureCloud && az cloud unregister --name {cloud}",
    ]
