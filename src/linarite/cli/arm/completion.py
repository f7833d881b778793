"""What Tab offers: names that the server knows. A server that can't be asked offers nothing."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import typer  # noqa: TC002 - typer reads the annotation

from linarite.cli.arm.naming import account_id, accounts, first_location, subscription_path
from linarite.cli.arm.reaching import Typed, address_of
from linarite.cli.arm.server import RESOURCES_VERSION, Server
from linarite.domain.errors import LinariteError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

PATIENCE_S = 3.0
"""a person who has pressed Tab waits no longer"""


def account_names(context: typer.Context, incomplete: str) -> list[str]:
    """The accounts."""

    async def names(server: Server) -> list[str]:
        return [str(each["name"]) for each in await accounts(server)]

    return _offered(context, incomplete, names)


def group_names(context: typer.Context, incomplete: str) -> list[str]:
    """The resource groups."""

    async def names(server: Server) -> list[str]:
        groups = f"{await subscription_path(server)}/resourcegroups"
        return [str(each["name"]) for each in await server.every(groups, version=RESOURCES_VERSION)]

    return _offered(context, incomplete, names)


def deployment_names(context: typer.Context, incomplete: str) -> list[str]:
    """The deployments of the account that has been typed so far."""

    async def names(server: Server) -> list[str]:
        typed = context.params
        account = await account_id(server, typed.get("account"), typed.get("resource_group"))
        return [str(each["name"]) for each in await server.every(f"{account}/deployments")]

    return _offered(context, incomplete, names)


def model_names(context: typer.Context, incomplete: str) -> list[str]:
    """The models that can be deployed."""

    async def names(server: Server) -> list[str]:
        subscription = await subscription_path(server)
        location = await first_location(server)
        models = await server.every(
            f"{subscription}/providers/Microsoft.CognitiveServices/locations/{location}/models"
        )
        return sorted({str(each["model"]["name"]) for each in models})

    return _offered(context, incomplete, names)


def _offered(
    context: typer.Context, incomplete: str, names: Callable[[Server], Awaitable[list[str]]]
) -> list[str]:
    typed = Typed(
        *(context.params.get(flag) for flag in ("endpoint", "key", "key_file", "ca_file"))
    )

    async def asked() -> list[str]:
        server = Server(address_of(typed, context.obj))
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await names(server)
        finally:
            await server.close()

    try:
        found = asyncio.run(asked())
    except (LinariteError, TimeoutError):
        return []
    return [name for name in found if name.lower().startswith(incomplete.lower())]
