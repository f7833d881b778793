"""What the commands do: each asks the server's control plane."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import typer

from linarite.cli.arm.flags import Output
from linarite.cli.arm.naming import account_id, subscription_path
from linarite.cli.arm.printed import print_data, print_many, print_one, say
from linarite.cli.arm.refusals import ServerRefused
from linarite.cli.limit.columns import facts, row, usage_row
from linarite.domain.errors import SetupError
from linarite.domain.usage_limits import USAGE_LIMIT_TYPE

if TYPE_CHECKING:
    from linarite.cli.arm.flags import OutputFlags
    from linarite.cli.arm.server import Server
    from linarite.cli.limit.flags import Bounds, LimitNamed, Subject, Where


async def create(
    server: Server,
    named: LimitNamed,
    subject: Subject,
    bounds: Bounds,
    where: Where,
    shown: OutputFlags,
) -> None:
    """Limit what somebody, or each of a kind, may use."""
    body = {"properties": {**subject.properties, **bounds.properties()}}
    path = await _path(server, where, named.name)
    taken = (
        f"There is a limit {named.name} already. To change it: linarite limit update {named.name}"
    )
    reply = await server.create(path, body, taken=taken)
    print_one(reply.body, facts, shown.output)


async def list_limits(server: Server, where: Where, shown: OutputFlags) -> None:
    """List the limits that are set on an account, or on the subscription and all below it."""
    print_many(
        await server.every(await _path(server, where)),
        row,
        shown.output,
        none="No limits yet. Make one: linarite limit create NAME",
    )


async def show(server: Server, named: LimitNamed, where: Where, shown: OutputFlags) -> None:
    """Tell everything about one, and what is left of it: of each whom it has met so far."""
    path = await _path(server, where, named.name)
    limit = await server.get(path)
    usage = await _usage(server, path)
    if shown.output is not Output.TABLE:
        print_data(limit if usage is None else limit | {"usage": usage}, shown.output)
        return
    print_one(limit, facts, shown.output)
    if usage is None:
        say("Whose use it has counted is told to those who may set limits.")
        return
    typer.echo()
    print_many(usage, usage_row, shown.output, none="Nobody has used anything of it yet.")


async def update(
    server: Server, named: LimitNamed, bounds: Bounds, where: Where, shown: OutputFlags
) -> None:
    """Change how much there may be. What was used stays counted."""
    changed = bounds.properties(removing=True)
    if not changed:
        raise typer.BadParameter("Say what shall change: --tokens-per-day, --warn-at, …")
    path = await _path(server, where, named.name)
    reply = await server.send("PATCH", path, body={"properties": changed})
    print_one(reply.body, facts, shown.output)


async def delete(server: Server, named: LimitNamed, where: Where) -> None:
    """Take a limit away: it holds nobody from then on."""
    reply = await server.send("DELETE", await _path(server, where, named.name))
    there = reply.status != HTTPStatus.NO_CONTENT
    say(f"{named.name} is deleted." if there else f"There was no limit {named.name}.")


async def _usage(server: Server, path: str) -> list[dict[str, Any]] | None:
    """What each has used of a limit; None where the caller may not know."""
    try:
        return await server.every(f"{path}/usage")
    except ServerRefused as refused:
        if refused.status != HTTPStatus.FORBIDDEN:
            raise
        return None


async def _path(server: Server, where: Where, name: str = "") -> str:
    """Of one limit, or of all."""
    if where.subscription:
        if where.account or where.resource_group:
            raise SetupError("Give --subscription, or an account with -n: a limit is set on one.")
        scope = await subscription_path(server)
    else:
        scope = await account_id(server, where.account, where.resource_group)
    path = f"{scope}/providers/{USAGE_LIMIT_TYPE}"
    return f"{path}/{quote(name, safe='')}" if name else path
