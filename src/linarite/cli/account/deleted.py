"""`linarite account list-deleted | show-deleted | recover | purge`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from linarite.cli.account.columns import deleted_row, group_of_deleted, row
from linarite.cli.arm.naming import group_path, subscription_path
from linarite.cli.arm.printed import print_many, print_one, say
from linarite.cli.arm.refusals import NOT_FOUND, ServerRefused
from linarite.cli.arm.watching import finish
from linarite.domain.errors import SetupError
from linarite.domain.resource import ACCOUNT_TYPE

if TYPE_CHECKING:
    from linarite.cli.account.flags import NamedFlags
    from linarite.cli.arm.flags import OutputFlags
    from linarite.cli.arm.server import Server


async def list_deleted(server: Server, shown: OutputFlags) -> None:
    """List accounts that were deleted and can be recovered."""
    print_many(await _deleted(server), deleted_row, shown.output)


async def show_deleted(server: Server, asked: NamedFlags, shown: OutputFlags) -> None:
    """Tell about an account that was deleted."""
    print_one(await _found(server, asked), deleted_row, shown.output)


async def recover(server: Server, asked: NamedFlags, shown: OutputFlags) -> None:
    """Bring a deleted account back, with its keys."""
    deleted = await _found(server, asked)
    group = await group_path(server, group_of_deleted(deleted["id"]))
    path = f"{group}/providers/{ACCOUNT_TYPE}/{deleted['name']}"
    body = {"location": deleted["location"], "properties": {"restore": True}}
    await finish(server, await server.send("PUT", path, body=body), deleted["name"])
    print_one(await server.get(path), row, shown.output)


async def purge(server: Server, asked: NamedFlags) -> None:
    """Destroy a deleted account for good. What was sealed with its key can't be read any more."""
    deleted = await _found(server, asked)
    await finish(server, await server.send("DELETE", deleted["id"]), deleted["name"])
    say(f"{deleted['name']} is gone for good; its name can be used again.")


async def _deleted(server: Server) -> list[dict[str, Any]]:
    subscription = await subscription_path(server)
    return await server.every(
        f"{subscription}/providers/Microsoft.CognitiveServices/deletedAccounts"
    )


async def _found(server: Server, asked: NamedFlags) -> dict[str, Any]:
    """The deleted account that was named. Raises SetupError."""
    name, group = asked.required, asked.resource_group
    there = [
        each
        for each in await _deleted(server)
        if each["name"].lower() == name.lower()
        and (group is None or group_of_deleted(each["id"]).lower() == group.lower())
    ]
    if not there:
        raise ServerRefused(
            f"No account {name} was deleted in the last 48 hours. See: linarite account "
            "list-deleted",
            status=NOT_FOUND,
        )
    if len(there) > 1:
        groups = ", ".join(group_of_deleted(each["id"]) for each in there)
        raise SetupError(f"Accounts {name} were deleted in {groups}: name the group with -g.")
    return there[0]
