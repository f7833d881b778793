"""`linarite identity user …`, `… group …`, `… principal …` and `… rotate-keys`."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from linarite.cli.arm.printed import print_many, print_one, say
from linarite.cli.arm.refusals import NOT_FOUND, ServerRefused
from linarite.cli.identity.columns import group_row, member_row, principal_row, user_row
from linarite.cli.identity.graph import found, listed, path_of, sent

if TYPE_CHECKING:
    from linarite.cli.arm.flags import OutputFlags
    from linarite.cli.arm.server import Server
    from linarite.cli.identity.flags import (
        GroupNamed,
        MemberFlags,
        PasswordFlags,
        PrincipalNamed,
        UserNamed,
    )

USERS, GROUPS, PRINCIPALS = "users", "groups", "servicePrincipals"


@dataclass(frozen=True, kw_only=True)
class CreateUser:
    """Who the user is."""

    user: Annotated[str, typer.Argument(help="User name, such as ada@example.org.")]
    name: Annotated[
        str | None, typer.Option(help="What people call them.", show_default="the user name")
    ] = None


@dataclass(frozen=True, kw_only=True)
class CreateGroup:
    """What the group is."""

    group: Annotated[str, typer.Argument(help="Its name.")]
    description: Annotated[str | None, typer.Option(help="What it is for.")] = None


@dataclass(frozen=True, kw_only=True)
class EnabledFlags:
    """Whether somebody may sign in."""

    enabled: Annotated[
        bool | None,
        typer.Option("--enable/--disable", help="Whether they may sign in."),
    ] = None


async def create_user(
    server: Server, asked: CreateUser, password: PasswordFlags, shown: OutputFlags
) -> None:
    """Make a user who signs in by name and password."""
    chosen = password.read()
    new = chosen or secrets.token_urlsafe(15)
    body: dict[str, Any] = {
        "userPrincipalName": asked.user,
        "displayName": asked.name or asked.user.partition("@")[0],
        "passwordProfile": {"password": new},
    }
    print_one(await sent(server, "POST", USERS, body), user_row, shown.output)
    if not chosen:
        say(f"Password, shown only now: {new}")


async def list_users(server: Server, shown: OutputFlags) -> None:
    """List the users."""
    none = "No users. Make one: linarite identity user create ada@example.org"
    print_many(await listed(server, USERS), user_row, shown.output, none=none)


async def show_user(server: Server, named: UserNamed, shown: OutputFlags) -> None:
    """Tell about one user."""
    print_one(await found(server, USERS, named.user), user_row, shown.output)


async def update_user(
    server: Server, named: UserNamed, may: EnabledFlags, shown: OutputFlags
) -> None:
    """Let a user sign in, or not any more; --enable ends the wait after wrong passwords too."""
    path = await path_of(server, USERS, named.user)
    if may.enabled is not None:
        await sent(server, "PATCH", path, {"accountEnabled": may.enabled})
    print_one(await sent(server, "GET", path), user_row, shown.output)


async def reset_password(server: Server, named: UserNamed, password: PasswordFlags) -> None:
    """Give a user another password; all their sessions end."""
    path = await path_of(server, USERS, named.user)
    chosen = password.read()
    new = chosen or secrets.token_urlsafe(15)
    await sent(server, "PATCH", path, {"passwordProfile": {"password": new}})
    if not chosen:
        say(f"Password, shown only now: {new}")


async def delete_user(server: Server, named: UserNamed) -> None:
    """Remove a user: their tokens are void at once."""
    await sent(server, "DELETE", await path_of(server, USERS, named.user))


async def create_group(server: Server, asked: CreateGroup, shown: OutputFlags) -> None:
    """Make a group."""
    body = {"displayName": asked.group, "description": asked.description}
    print_one(await sent(server, "POST", GROUPS, body), group_row, shown.output)


async def list_groups(server: Server, shown: OutputFlags) -> None:
    """List the groups."""
    none = "No groups. Make one: linarite identity group create NAME"
    print_many(await listed(server, GROUPS), group_row, shown.output, none=none)


async def show_group(server: Server, named: GroupNamed, shown: OutputFlags) -> None:
    """Tell about one group."""
    print_one(await found(server, GROUPS, named.group), group_row, shown.output)


async def delete_group(server: Server, named: GroupNamed) -> None:
    """Remove a group; its members stay."""
    await sent(server, "DELETE", await path_of(server, GROUPS, named.group))


async def list_members(server: Server, named: GroupNamed, shown: OutputFlags) -> None:
    """List who is in a group."""
    path = await path_of(server, GROUPS, named.group)
    members = await listed(server, f"{path}/members")
    print_many(members, member_row, shown.output, none="Nobody is in it.")


async def add_member(server: Server, named: GroupNamed, asked: MemberFlags) -> None:
    """Put somebody into a group."""
    path = await path_of(server, GROUPS, named.group)
    member = await _anybody(server, asked.member)
    address = f"{server.address.endpoint}/v1.0/directoryObjects/{member}"
    await sent(server, "POST", f"{path}/members/$ref", {"@odata.id": address})


async def remove_member(server: Server, named: GroupNamed, asked: MemberFlags) -> None:
    """Take somebody out of a group."""
    path = await path_of(server, GROUPS, named.group)
    member = await _anybody(server, asked.member)
    await sent(server, "DELETE", f"{path}/members/{member}/$ref")


async def list_principals(server: Server, shown: OutputFlags) -> None:
    """List what applications and managed identities sign in as: roles are assigned to these."""
    print_many(
        await listed(server, PRINCIPALS), principal_row, shown.output, none="No service principals."
    )


async def show_principal(server: Server, named: PrincipalNamed, shown: OutputFlags) -> None:
    """Tell about one service principal."""
    print_one(await found(server, PRINCIPALS, named.principal), principal_row, shown.output)


async def update_principal(
    server: Server, named: PrincipalNamed, may: EnabledFlags, shown: OutputFlags
) -> None:
    """Let an application or managed identity sign in, or not any more."""
    path = await path_of(server, PRINCIPALS, named.principal)
    if may.enabled is not None:
        await sent(server, "PATCH", path, {"accountEnabled": may.enabled})
    print_one(await sent(server, "GET", path), principal_row, shown.output)


async def tenant(server: Server) -> None:
    """Print the tenant's id, which clients ask for when they sign in."""
    print((await sent(server, "GET", "organization"))["value"][0]["id"])  # noqa: T201 - for $(…)


async def rotate_keys(server: Server) -> None:
    """Sign tokens with a new key from now on; those that were given out still hold."""
    made = await sent(server, "POST", "signingKeys/rotate")
    say(f"Tokens are signed by the key {made['kid']} from now on.")


async def _anybody(server: Server, named: str) -> str:
    """The object id of a user, service principal or group. Raises ServerRefused."""
    for collection in (USERS, PRINCIPALS, GROUPS):
        try:
            return str((await found(server, collection, named))["id"])
        except ServerRefused as problem:
            if problem.status != NOT_FOUND:
                raise
    raise ServerRefused(
        f"There is no user, service principal or group '{named}'.", status=NOT_FOUND
    )
