"""What the audit log says of changes of the directory.

As on the control plane: an event before a change begins and one when it has ended, each on disk
before anything goes on. Refusals of whoever may not are noted, so that they can't fill the disk.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

import msgspec

from linarite.domain.access import ALLOWED_BY_KEY
from linarite.domain.audit import DIRECTORY, FAILED, REFUSED, STARTED, SUCCEEDED, AuditEvent
from linarite.domain.audit_errors import AuditUnavailable
from linarite.domain.errors import LinariteError
from linarite.domain.principal import Principal
from linarite.signin.graph.callers import ASSIGN, graph_caller, require
from linarite.signin.graph.collections import COLLECTIONS, record_named
from linarite.signin.graph.refusals import GraphRefused
from linarite.signin.request import Ask
from linarite.signin.router import Act, Route, segments

if TYPE_CHECKING:
    from linarite.signin.desk import Desk
    from linarite.signin.request import Reply

READINGS = frozenset(("getByIds", "getMemberGroups", "checkMemberGroups"))
"""what is sent by POST and changes nothing"""
DEEDS = frozenset(("addPassword", "removePassword", "revokeSignInSessions", "rotate"))
VERBS = {"POST": "write", "PATCH": "write", "DELETE": "delete"}
DIRECTORY_ID = "/providers/Microsoft.Directory"
TEXT_CHARACTERS_MAX = 200
NOBODY = Principal(kind="", name="")


def audited(route: Route) -> Route:
    """The same path; what changes the directory leaves events."""
    words = [each for each in segments(route.template)[1:] if each[0] not in "{$"]
    if words[-1] in READINGS:
        return route
    acts = {
        method: act if method == "GET" else _told(act, words, method)
        for method, act in route.by_method.items()
    }
    return Route(route.template, acts)


def action_of(words: list[str], method: str) -> str:
    """As roles name it: `Microsoft.Directory/users/write`."""
    verb = "action" if words[-1] in DEEDS else VERBS[method]
    return f"Microsoft.Directory/{'/'.join(words)}/{verb}"


class _Deed(msgspec.Struct, frozen=True):
    """A change that somebody asks for."""

    ask: Ask
    action: str
    target: str
    caller: Principal | None
    """None: nobody who is known"""
    rule: str
    """what lets them or not"""


def _told(act: Act, words: list[str], method: str) -> Act:
    action = action_of(words, method)

    async def change(ask: Ask, desk: Desk) -> Reply:
        deed = _Deed(ask, action, f"{DIRECTORY_ID}/{words[0]}", None, "")
        try:
            caller = await graph_caller(ask, desk)
            target = _target(ask, words[0], desk)
            deed = _Deed(ask, action, target, caller, _rule(caller, desk))
            require(caller, ask, words[0], desk)
        except GraphRefused as refused:
            desk.audit.note(_event(deed, REFUSED, refused.status, refused.code or ""))
            raise
        await _keep(desk, _event(deed, STARTED))
        try:
            reply = await act(ask, desk)
        except LinariteError as problem:
            await _keep(desk, _event(deed, FAILED, problem.status, problem.code or ""))
            raise
        told = _members(reply.body)
        if method == "POST" and "id" in told:
            made = f"{deed.target}/{told['id']}"
            deed = msgspec.structs.replace(deed, target=made)
        await _keep(desk, _event(deed, SUCCEEDED, reply.status, key_id=str(told.get("keyId", ""))))
        return reply

    return change


async def _keep(desk: Desk, event: AuditEvent) -> None:
    """Have an event on disk. Raises GraphRefused 503."""
    try:
        await desk.audit.record(event)
    except AuditUnavailable as problem:
        raise GraphRefused(
            503, "ServiceUnavailable", problem.message, headers=problem.headers
        ) from problem


def _target(ask: Ask, collection: str, desk: Desk) -> str:
    """What a path is about, its record named by its object id."""
    parts = [each for each in segments(ask.path)[1:] if each[0] != "$"]
    if collection in COLLECTIONS and "id" in ask.names:
        try:
            parts[1] = record_named(ask, collection, desk).object_id
        except GraphRefused:
            parts[1] = parts[1][:TEXT_CHARACTERS_MAX]
    return "/".join((DIRECTORY_ID, collection, *parts[1:]))


def _event(
    deed: _Deed, outcome: str, status: int = 0, code: str = "", key_id: str = ""
) -> AuditEvent:
    ask, caller = deed.ask, deed.caller or NOBODY
    return AuditEvent(
        at=datetime.now(UTC).isoformat(timespec="microseconds"),
        category=DIRECTORY,
        action=deed.action,
        outcome=outcome,
        status=status,
        code=code,
        resource_id=deed.target,
        principal=caller.name,
        principal_kind=caller.kind,
        object_id=caller.object_id,
        app_id=caller.app_id,
        credential=_credential(deed.caller),
        issuer=caller.issuer,
        token_id=caller.token_id,
        address=ask.address,
        decided_by=deed.rule,
        request_id=ask.request_id,
        correlation_id=ask.correlation_id,
        details=_details(ask, key_id) if deed.caller else {"method": ask.method},
    )


def _credential(caller: Principal | None) -> str:
    if caller is None:
        return ""
    return caller.name if caller.is_key else "token"


def _rule(caller: Principal, desk: Desk) -> str:
    if caller.is_key or desk.access is None:
        return ALLOWED_BY_KEY.rule
    return desk.access.decide(caller, ASSIGN, "/").rule


def _details(ask: Ask, key_id: str) -> dict[str, str | int]:
    """Which properties were sent, and of whom or what: never what they were set to."""
    sent = _members(ask.body)
    details: dict[str, str | int] = {"method": ask.method}
    if "@odata.id" in sent:
        details["member"] = str(sent["@odata.id"]).rpartition("/")[2][:TEXT_CHARACTERS_MAX]
    elif sent:
        details["properties"] = ", ".join(sorted(sent))[:TEXT_CHARACTERS_MAX]
    if key_id := key_id or str(sent.get("keyId", "")):
        details["keyId"] = key_id[:TEXT_CHARACTERS_MAX]
    return details


def _members(body: object) -> dict[str, Any]:
    return cast("dict[str, Any]", body) if isinstance(body, dict) else {}
