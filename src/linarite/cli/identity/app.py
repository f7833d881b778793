"""`linarite identity app …`: applications that sign in, and what they prove themselves with."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path  # noqa: TC003 - typer reads the annotation
from typing import TYPE_CHECKING, Annotated, Any

import typer

from linarite.cli.arm.printed import print_many, print_one, say
from linarite.cli.identity.columns import (
    app_facts,
    app_row,
    certificate_row,
    federated_row,
    secret_row,
)
from linarite.cli.identity.graph import found, listed, path_of, sent
from linarite.domain.errors import SetupError

if TYPE_CHECKING:
    from linarite.cli.arm.flags import OutputFlags
    from linarite.cli.arm.server import Server
    from linarite.cli.identity.flags import AppNamed

APPS = "applications"
EXCHANGE = "api://AzureADTokenExchange"


@dataclass(frozen=True, kw_only=True)
class Create:
    """What the application shall be."""

    name: Annotated[str, typer.Argument(help="What people call it.")]
    public_client: Annotated[
        bool,
        typer.Option("--public-client", help="It signs people in and can keep no secret."),
    ] = False
    identifier_uri: Annotated[
        list[str] | None,
        typer.Option(help="What others ask tokens for it by, such as api://my-service."),
    ] = None
    redirect_uri: Annotated[
        list[str] | None, typer.Option(help="Where people come back to from signing in.")
    ] = None


@dataclass(frozen=True, kw_only=True)
class Change:
    """What shall be otherwise."""

    name: Annotated[str | None, typer.Option(help="What people call it.")] = None
    identifier_uri: Annotated[
        list[str] | None, typer.Option(help="All identifier URIs, instead of those it has.")
    ] = None
    redirect_uri: Annotated[
        list[str] | None, typer.Option(help="All redirect URIs, instead of those it has.")
    ] = None


@dataclass(frozen=True, kw_only=True)
class SecretFlags:
    """A new secret."""

    name: Annotated[str, typer.Option(help="What it is for.")] = ""
    days: Annotated[int, typer.Option(help="How long it opens.", min=1, max=3650)] = 365


@dataclass(frozen=True, kw_only=True)
class KeyFlags:
    """Which secret."""

    secret: Annotated[str, typer.Argument(help="Its id, as `secret list` shows it.")]


@dataclass(frozen=True, kw_only=True)
class CertificateFlags:
    """A certificate."""

    certificate: Annotated[
        Path, typer.Argument(help="PEM or DER file of the certificate; never the private key.")
    ]


@dataclass(frozen=True, kw_only=True)
class FederatedFlags:
    """Whose tokens are as good as a secret."""

    name: Annotated[str, typer.Option(help="What to call it, at least three characters.")]
    issuer: Annotated[str, typer.Option(help="What their tokens name as iss.")]
    subject: Annotated[str, typer.Option(help="What their tokens name as sub.")]
    audience: Annotated[str, typer.Option(help="What their tokens name as aud.")] = EXCHANGE


async def create(server: Server, asked: Create, shown: OutputFlags) -> None:
    """Register an application, and what it signs in as."""
    body: dict[str, Any] = {
        "displayName": asked.name,
        "isFallbackPublicClient": asked.public_client,
        "identifierUris": asked.identifier_uri or [],
        **_redirects(asked.redirect_uri or [], public=asked.public_client),
    }
    made = await sent(server, "POST", APPS, body)
    await sent(server, "POST", "servicePrincipals", {"appId": made["appId"]})
    print_one(made, app_facts, shown.output)
    if not asked.public_client:
        say(f"Give it a secret: linarite identity app secret add {made['appId']}")


async def list_apps(server: Server, shown: OutputFlags) -> None:
    """List the applications."""
    print_many(
        await listed(server, APPS),
        app_row,
        shown.output,
        none="No applications. Register one: linarite identity app create NAME",
    )


async def show(server: Server, named: AppNamed, shown: OutputFlags) -> None:
    """Tell everything about one application; of its secrets nothing but their dates."""
    print_one(await found(server, APPS, named.app), app_facts, shown.output)


async def update(server: Server, named: AppNamed, asked: Change, shown: OutputFlags) -> None:
    """Change an application."""
    app = await found(server, APPS, named.app)
    body: dict[str, Any] = {"displayName": asked.name} if asked.name else {}
    if asked.identifier_uri is not None:
        body["identifierUris"] = asked.identifier_uri
    if asked.redirect_uri is not None:
        body |= _redirects(asked.redirect_uri, public=bool(app["isFallbackPublicClient"]))
    await sent(server, "PATCH", f"{APPS}/{app['id']}", body)
    print_one(await found(server, APPS, str(app["id"])), app_facts, shown.output)


async def delete(server: Server, named: AppNamed) -> None:
    """Remove an application: its tokens are void at once."""
    await sent(server, "DELETE", await path_of(server, APPS, named.app))


async def list_secrets(server: Server, named: AppNamed, shown: OutputFlags) -> None:
    """List an application's secrets, without their texts."""
    app = await found(server, APPS, named.app)
    print_many(app["passwordCredentials"], secret_row, shown.output, none="No secrets.")


async def add_secret(
    server: Server, named: AppNamed, asked: SecretFlags, shown: OutputFlags
) -> None:
    """Make a secret for an application and show it, this once."""
    end = datetime.now(UTC) + timedelta(days=asked.days)
    wanted = {"displayName": asked.name, "endDateTime": end.isoformat()}
    app = await found(server, APPS, named.app)
    made = await sent(
        server, "POST", f"{APPS}/{app['id']}/addPassword", {"passwordCredential": wanted}
    )
    print_one(
        {**made, "appId": app["appId"]},
        lambda each: {
            "client id": each["appId"],
            "secret": each["secretText"],
            "ends": each["endDateTime"],
            "id": each["keyId"],
        },
        shown.output,
    )
    say("The secret is shown only now: the server keeps no more than a digest of it.")


async def remove_secret(server: Server, named: AppNamed, asked: KeyFlags) -> None:
    """Remove a secret: it opens nothing any more."""
    path = await path_of(server, APPS, named.app)
    await sent(server, "POST", f"{path}/removePassword", {"keyId": asked.secret})


async def list_certificates(server: Server, named: AppNamed, shown: OutputFlags) -> None:
    """List the certificates that an application may prove itself with."""
    app = await found(server, APPS, named.app)
    print_many(app["keyCredentials"], certificate_row, shown.output, none="No certificates.")


async def add_certificate(
    server: Server, named: AppNamed, asked: CertificateFlags, shown: OutputFlags
) -> None:
    """Let an application prove itself with a certificate's key."""
    try:
        content = asked.certificate.read_bytes()
    except OSError as problem:
        raise SetupError(f"{asked.certificate} can't be read: {problem.strerror}.") from None
    if b"PRIVATE KEY" in content:
        raise SetupError(
            f"{asked.certificate} holds a private key, which belongs to the application alone. "
            "Give a file with nothing but the certificate."
        )
    app = await found(server, APPS, named.app)
    kept = [{"keyId": each["keyId"]} for each in app["keyCredentials"]]
    new = {"key": base64.b64encode(content).decode(), "displayName": asked.certificate.name}
    await sent(server, "PATCH", f"{APPS}/{app['id']}", {"keyCredentials": [*kept, new]})
    await list_certificates(server, named, shown)


async def list_federated(server: Server, named: AppNamed, shown: OutputFlags) -> None:
    """List whose tokens are as good as a secret of an application's."""
    path = await path_of(server, APPS, named.app)
    print_many(
        await listed(server, f"{path}/federatedIdentityCredentials"),
        federated_row,
        shown.output,
        none="No federated credentials.",
    )


async def add_federated(
    server: Server, named: AppNamed, asked: FederatedFlags, shown: OutputFlags
) -> None:
    """Take another issuer's tokens (Kubernetes, GitHub …) instead of a secret."""
    path = await path_of(server, APPS, named.app)
    body = {
        "name": asked.name,
        "issuer": asked.issuer,
        "subject": asked.subject,
        "audiences": [asked.audience],
    }
    made = await sent(server, "POST", f"{path}/federatedIdentityCredentials", body)
    print_one(made, federated_row, shown.output)


def _redirects(uris: list[str], *, public: bool) -> dict[str, Any]:
    return {"publicClient" if public else "web": {"redirectUris": uris}}
