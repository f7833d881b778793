"""What the commands do: each asks the server's control plane."""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote

from linarite.cli.arm.naming import account_id
from linarite.cli.arm.printed import print_many, print_one, say
from linarite.cli.arm.refusals import NOT_FOUND, ServerRefused
from linarite.cli.keys.application.columns import facts, row
from linarite.domain.application_key import APPLICATION_KEY_TYPE
from linarite.domain.roles import ROLE_DEFINITION_TYPE

if TYPE_CHECKING:
    from linarite.cli.arm.flags import AccountFlags, OutputFlags
    from linarite.cli.arm.server import Reply, Server
    from linarite.cli.keys.application.flags import Create, KeyNamed

AUTHORIZATION_VERSION = "2022-04-01"


async def create(
    server: Server, named: KeyNamed, asked: Create, within: AccountFlags, shown: OutputFlags
) -> None:
    """Give an application a key of its own, and print it: it is shown only now."""
    account = await account_id(server, within.account, within.resource_group)
    if asked.deployment and not asked.allow_absent:
        await _require_there(server, account, asked.deployment)
    role = None if asked.role is None else await _role_id(server, account, asked.role)
    body = {"properties": asked.properties(role, datetime.now(UTC))}
    taken = (
        f"There is an application key {named.name} already. For a new key under its terms: "
        f"linarite keys application regenerate {named.name}"
    )
    _print_with_key(await server.create(_path(account, named.name), body, taken=taken), shown)


async def list_keys(server: Server, within: AccountFlags, shown: OutputFlags) -> None:
    """List an account's application keys: whose they are, until when, and when last used."""
    account = await account_id(server, within.account, within.resource_group)
    print_many(
        await server.every(f"{account}/providers/{APPLICATION_KEY_TYPE}"),
        row,
        shown.output,
        none="No application keys yet. Make one: linarite keys application create NAME",
    )


async def show(server: Server, named: KeyNamed, within: AccountFlags, shown: OutputFlags) -> None:
    """Tell everything about one; the key itself nobody can show again."""
    account = await account_id(server, within.account, within.resource_group)
    print_one(await server.get(_path(account, named.name)), facts, shown.output)


async def regenerate(
    server: Server, named: KeyNamed, within: AccountFlags, shown: OutputFlags
) -> None:
    """Replace the key, and print the new one. The old one opens nothing from then on."""
    account = await account_id(server, within.account, within.resource_group)
    _print_with_key(await server.send("POST", f"{_path(account, named.name)}/regenerate"), shown)


async def delete(server: Server, named: KeyNamed, within: AccountFlags) -> None:
    """Take an application's key away. It opens nothing from then on."""
    account = await account_id(server, within.account, within.resource_group)
    reply = await server.send("DELETE", _path(account, named.name))
    there = reply.status != HTTPStatus.NO_CONTENT
    say(f"{named.name} is deleted." if there else f"There was no application key {named.name}.")


def _path(account: str, name: str) -> str:
    return f"{account}/providers/{APPLICATION_KEY_TYPE}/{quote(name, safe='')}"


def _print_with_key(reply: Reply, shown: OutputFlags) -> None:
    say("The key is shown only now: the server keeps nothing from which it could be read.")
    print_one(reply.body, facts, shown.output)


async def _require_there(server: Server, account: str, typed: list[str]) -> None:
    """A key for a deployment that is not there opens nothing. Raises ServerRefused."""
    there = [str(each["name"]) for each in await server.every(f"{account}/deployments")]
    known = {name.lower() for name in there}
    for name in typed:
        if name.lower() not in known:
            raise ServerRefused(
                f"The account has no deployment '{name}', and a key for it would open nothing. "
                f"There are: {', '.join(sorted(there)) or 'none'}.",
                status=NOT_FOUND,
                way_out="If it is still to be made: --allow-absent.",
            )


async def _role_id(server: Server, account: str, typed: str) -> str:
    """The id of the role of that name or GUID. Raises ServerRefused."""
    roles = await server.every(
        f"{account}/providers/{ROLE_DEFINITION_TYPE}", version=AUTHORIZATION_VERSION
    )
    wanted = typed.rpartition("/")[2].lower()
    for role in roles:
        if wanted in (str(role["name"]).lower(), str(role["properties"]["roleName"]).lower()):
            return str(role["id"])
    useful = sorted(
        str(role["properties"]["roleName"])
        for role in roles
        if any(each.get("dataActions") for each in role["properties"]["permissions"])
    )
    raise ServerRefused(
        f"There is no role '{typed}'. Those that open something on the data plane: "
        f"{', '.join(useful)}.",
        status=NOT_FOUND,
    )
