"""From what a person names to the id that Azure Resource Manager wants."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from linarite.cli.arm.refusals import NOT_FOUND, ServerRefused
from linarite.cli.arm.server import RESOURCES_VERSION, SUBSCRIPTIONS_VERSION
from linarite.domain.arm_id import resource_group_of, subscription_of
from linarite.domain.errors import SetupError
from linarite.domain.resource import ACCOUNT_TYPE

if TYPE_CHECKING:
    from linarite.cli.arm.server import Server


async def subscription_path(server: Server) -> str:
    """`/subscriptions/{id}` of the server's first subscription."""
    if server.address.account_id:
        return f"/subscriptions/{subscription_of(server.address.account_id)}"
    found = await server.every("/subscriptions", version=SUBSCRIPTIONS_VERSION)
    if not found:
        raise SetupError(f"{server.address.endpoint} has no subscription.")
    return str(found[0]["id"])


async def group_path(server: Server, named: str | None) -> str:
    """The path of the group that was named, else of the declared account's, else the only one."""
    subscription = await subscription_path(server)
    if named:
        return f"{subscription}/resourceGroups/{named}"
    if server.address.account_id:
        return f"{subscription}/resourceGroups/{resource_group_of(server.address.account_id)}"
    there = await server.every(f"{subscription}/resourcegroups", version=RESOURCES_VERSION)
    names = [str(group["name"]) for group in there]
    if len(names) == 1:
        return f"{subscription}/resourceGroups/{names[0]}"
    raise SetupError(
        f"Which resource group? Name it with -g. There are: {', '.join(names) or 'none'}."
    )


async def accounts(server: Server, group: str | None = None) -> list[dict[str, Any]]:
    """All accounts of the subscription, or of one of its groups."""
    subscription = await subscription_path(server)
    scope = f"{subscription}/resourceGroups/{group}" if group else subscription
    return await server.every(f"{scope}/providers/{ACCOUNT_TYPE}")


async def account_id(server: Server, name: str | None, group: str | None) -> str:
    """The id of the account that was named, wherever it lies; of the declared one if none was.

    Raises ServerRefused when there is none, or several of that name.
    """
    if name and group:
        return f"{await group_path(server, group)}/providers/{ACCOUNT_TYPE}/{name}"
    if name is None and group is None and server.address.account_id:
        return server.address.account_id
    there = await accounts(server, group)
    fitting = [each for each in there if name is None or each["name"].lower() == name.lower()]
    if len(fitting) == 1:
        return str(fitting[0]["id"])
    if fitting:
        known = ", ".join(f"{_named(each)}" for each in fitting)
        raise SetupError(f"Which account? Name it with -n, its group with -g. There are: {known}.")
    known = ", ".join(_named(each) for each in there) or "none"
    raise ServerRefused(
        f"There is no account {name or ''}{' in ' + group if group else ''}. There are: {known}.",
        status=NOT_FOUND,
    )


def _named(account: dict[str, Any]) -> str:
    return f"{account['name']} (in {resource_group_of(account['id'])})"


def typed_once(positional: str | None, flag: str | None, what: str) -> str | None:
    """What was typed in one of two places. Raises SetupError when they differ."""
    if positional and flag and positional != flag:
        raise SetupError(f"Two names for the {what}, '{positional}' and '{flag}': give one.")
    return positional or flag


async def first_location(server: Server) -> str:
    """The region that is meant where none is named. Raises SetupError."""
    subscription = await subscription_path(server)
    found = await server.every(f"{subscription}/locations", version=SUBSCRIPTIONS_VERSION)
    if not found:
        raise SetupError(f"{server.address.endpoint} has no regions.")
    return str(found[0]["name"])
