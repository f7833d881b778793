"""Users and groups."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from linarite.signin.directory.records import Group, ServicePrincipal, User
from linarite.signin.directory.writing import new_id
from linarite.signin.graph.collections import admitted, many, one, record_named, replaced
from linarite.signin.graph.refusals import bad, no_such, taken
from linarite.signin.graph.sent import (
    GroupIds,
    Reference,
    SentGroup,
    SentPassword,
    SentUser,
    given,
    read,
)
from linarite.signin.graph.views import shown
from linarite.signin.guarding import USER as GUESSED
from linarite.signin.guarding import forgive
from linarite.signin.request import Reply

if TYPE_CHECKING:
    from linarite.signin.desk import Desk
    from linarite.signin.directory.secrets import Passwords
    from linarite.signin.request import Ask
    from linarite.signin.router import Act

USERS, GROUPS = "users", "groups"
MEMBERS_MAX = 10_000


async def create_user(ask: Ask, desk: Desk) -> Reply:
    """POST /users; without a password nobody signs in by that name."""
    await admitted(ask, USERS, desk)
    sent = read(ask.body, SentUser)
    if not isinstance(sent.user_principal_name, str) or not isinstance(sent.display_name, str):
        raise bad("Properties 'userPrincipalName' and 'displayName' are required.")
    password = await _hashed(sent, desk.passwords)
    async with desk.directory.turn:
        if desk.book.user(sent.user_principal_name) is not None:
            raise taken("userPrincipalName", sent.user_principal_name)
        fresh = User(
            object_id=new_id(),
            upn=sent.user_principal_name,
            name=sent.display_name,
            created_at=int(desk.now()),
            password=password,
        )
        made = replaced(fresh, _fields(sent))
        await desk.directory.put(made)
    return one(ask, USERS, shown(made, desk), 201)


async def update_user(ask: Ask, desk: Desk) -> Reply:
    """PATCH /users/{id}; a new password ends all sessions.

    With it, or with `accountEnabled: true`, the wait after wrong passwords is over.
    """
    await admitted(ask, USERS, desk)
    sent = read(ask.body, SentUser)
    fields = _fields(sent)
    if password := await _hashed(sent, desk.passwords):
        fields |= {"password": password, "valid_from": int(desk.now())}
    async with desk.directory.turn:
        user: User = record_named(ask, USERS, desk)
        if isinstance(sent.user_principal_name, str):
            other = desk.book.user(sent.user_principal_name)
            if other is not None and other.object_id != user.object_id:
                raise taken("userPrincipalName", sent.user_principal_name)
            fields["upn"] = sent.user_principal_name
        await desk.directory.put(replaced(user, fields))
    if password or sent.account_enabled is True:
        forgive(desk.throttle, GUESSED, user.upn)
    return Reply(status=204)


async def revoke_sessions(ask: Ask, desk: Desk) -> Reply:
    """POST /users/{id}/revokeSignInSessions: every token of theirs is void."""
    await admitted(ask, USERS, desk)
    async with desk.directory.turn:
        user: User = record_named(ask, USERS, desk)
        await desk.directory.change(user, valid_from=int(desk.now()))
    return Reply(
        body={"@odata.context": f"{ask.base_url}/v1.0/$metadata#Edm.Boolean", "value": True}
    )


async def create_group(ask: Ask, desk: Desk) -> Reply:
    """POST /groups."""
    await admitted(ask, GROUPS, desk)
    sent = read(ask.body, SentGroup)
    if not isinstance(sent.display_name, str):
        raise bad("Property 'displayName' is required.")
    nickname = re.sub(r"[^A-Za-z0-9.-]", "", sent.display_name)
    async with desk.directory.turn:
        fresh = Group(
            object_id=new_id(),
            name=sent.display_name,
            created_at=int(desk.now()),
            mail_nickname=nickname,
        )
        made = replaced(
            fresh, given(sent, description="description", mail_nickname="mail_nickname")
        )
        await desk.directory.put(made)
    return one(ask, GROUPS, shown(made, desk), 201)


async def update_group(ask: Ask, desk: Desk) -> Reply:
    """PATCH /groups/{id}."""
    await admitted(ask, GROUPS, desk)
    sent = read(ask.body, SentGroup)
    fields = given(
        sent, name="display_name", description="description", mail_nickname="mail_nickname"
    )
    async with desk.directory.turn:
        await desk.directory.put(replaced(record_named(ask, GROUPS, desk), fields))
    return Reply(status=204)


async def list_members(ask: Ask, desk: Desk) -> Reply:
    """GET /groups/{id}/members: those that are in it directly."""
    await admitted(ask, GROUPS, desk)
    group: Group = record_named(ask, GROUPS, desk)
    members = [desk.book.record(each) for each in group.members]
    return many(ask, "directoryObjects", [shown(each, desk) for each in members if each])


async def add_member(ask: Ask, desk: Desk) -> Reply:
    """POST /groups/{id}/members/$ref."""
    await admitted(ask, GROUPS, desk)
    address = read(ask.body, Reference).id.partition("?")[0]
    object_id = address.rpartition("/")[2].lower()
    async with desk.directory.turn:
        group: Group = record_named(ask, GROUPS, desk)
        if not isinstance(desk.book.record(object_id), User | Group | ServicePrincipal):
            raise no_such("user, group or service principal", object_id)
        if object_id == group.object_id:
            raise bad("A group is no member of itself.")
        if object_id in group.members:
            raise bad(
                "One or more added object references already exist for the following modified "
                "properties: 'members'."
            )
        if len(group.members) >= MEMBERS_MAX:
            raise bad(f"A group has at most {MEMBERS_MAX} members: put groups into it.")
        await desk.directory.change(group, members=(*group.members, object_id))
    return Reply(status=204)


async def remove_member(ask: Ask, desk: Desk) -> Reply:
    """DELETE /groups/{id}/members/{member}/$ref."""
    await admitted(ask, GROUPS, desk)
    object_id = ask.names["member"].lower()
    async with desk.directory.turn:
        group: Group = record_named(ask, GROUPS, desk)
        if object_id not in group.members:
            raise no_such("member", object_id)
        kept = tuple(each for each in group.members if each != object_id)
        await desk.directory.change(group, members=kept)
    return Reply(status=204)


def groups_around(collection: str) -> Act:
    """GET …/memberOf and …/transitiveMemberOf."""

    async def act(ask: Ask, desk: Desk) -> Reply:
        await admitted(ask, collection, desk)
        object_id = record_named(ask, collection, desk).object_id
        around = desk.book.groups_of(object_id)
        direct = ask.path.rstrip("/").lower().endswith("/memberof")
        return many(
            ask,
            "directoryObjects",
            [
                shown(group, desk)
                for group in desk.book.all(Group)
                if group.object_id in around and not (direct and object_id not in group.members)
            ],
        )

    return act


def member_groups(collection: str) -> Act:
    """POST …/getMemberGroups and …/checkMemberGroups: ids of groups, by way of others too."""

    async def act(ask: Ask, desk: Desk) -> Reply:
        await admitted(ask, collection, desk)
        sent = read(ask.body, GroupIds)
        around = desk.book.groups_of(record_named(ask, collection, desk).object_id)
        if sent.group_ids is not None:
            around &= frozenset(each.lower() for each in sent.group_ids)
        return Reply(
            body={
                "@odata.context": f"{ask.base_url}/v1.0/$metadata#Collection(Edm.String)",
                "value": sorted(around),
            }
        )

    return act


def _fields(sent: SentUser) -> dict[str, Any]:
    return given(
        sent,
        name="display_name",
        given_name="given_name",
        surname="surname",
        mail="mail",
        enabled="account_enabled",
    )


async def _hashed(sent: SentUser, passwords: Passwords) -> str:
    profile = sent.password_profile
    if not isinstance(profile, SentPassword) or profile.password is None:
        return ""
    return await passwords.hashed(profile.password)
