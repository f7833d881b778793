"""Connections of an account or a project to something else; their credentials are sealed.

No operation of Azure's provider shows credentials again, and none here does: what is sent is
sealed before it is kept, and leaves the server in no answer and no log.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, cast

import msgspec

from linarite.controlplane.problems import missing_problems
from linarite.controlplane.resources.connections.auth_types import CREDENTIALS
from linarite.controlplane.stocktaking import account_path
from linarite.domain.arm_errors import Problem
from linarite.domain.errors import SetupError
from linarite.domain.secret_box import SecretBox

if TYPE_CHECKING:
    from collections.abc import Callable

    from linarite.controlplane.request import Target
    from linarite.controlplane.surface import Surface
    from linarite.domain.resource import Resource

OF_ACCOUNT = "Microsoft.CognitiveServices/accounts/connections"
OF_PROJECT = "Microsoft.CognitiveServices/accounts/projects/connections"
NAME = r"[a-zA-Z0-9][a-zA-Z0-9_-]{2,32}"
READ_ONLY = frozenset(("createdByWorkspaceArmId", "group"))
SENT_CREDENTIALS = "credentials"
SEALED = "sealedCredentials"
"""the property that holds them, shown to nobody"""
CATEGORY_CHARACTERS_MAX = 64


class SentConnection(msgspec.Struct, rename="camel"):
    """What may be set, whatever the kind of credentials."""

    auth_type: str | None = None
    category: str | None = None
    """a word of the specification's list, which grows with every version"""
    target: str | None = None
    metadata: dict[str, str] | None = None
    is_shared_to_all: bool | None = None
    shared_user_list: list[str] | None = None
    expiry_time: str | None = None
    error: str | None = None
    pe_requirement: Literal["Required", "NotRequired", "NotApplicable"] | None = None
    pe_status: Literal["Inactive", "Active", "NotApplicable"] | None = None
    use_workspace_managed_identity: bool | None = None
    credentials: dict[str, Any] | None = None


class ConnectionFacts(msgspec.Struct, frozen=True):
    """What is needed when a connection is completed."""

    box: SecretBox


async def gather(surface: Surface, target: Target) -> ConnectionFacts:
    """What seals: the account's own key. Raises CustomerKeyUnavailable."""
    # In a trial of a template the account is not there yet.
    return ConnectionFacts(await surface.keys.box_of(account_path(target)) or surface.box)


def complete(new: Resource, old: Resource | None, facts: ConnectionFacts) -> Resource:
    """Seal what was sent; without any, those of a connection of the same `authType` stay.

    What reads a connection and writes it back does not lose the credentials that it never saw.
    The same ones sent again stay as they are sealed: such a write changes nothing.
    """
    properties = {key: value for key, value in new.properties.items() if key != SEALED}
    sent = cast("dict[str, Any] | None", properties.get(SENT_CREDENTIALS))
    kept = _kept(new, old)
    if sent:
        plain = msgspec.json.encode(sent, order="deterministic")
        name = _sealed_for(new)
        if kept is None or _unsealed(facts.box, name, kept) != plain:
            kept = facts.box.seal(name, plain)
    if kept is not None:
        properties[SEALED] = kept
    return msgspec.structs.replace(new, properties=properties)


def admit(new: Resource, old: Resource | None, facts: ConnectionFacts) -> list[Problem]:
    """An `authType` there is, and credentials that belong to it."""
    del old, facts
    found = missing_problems(new.properties, "authType")
    if found:
        return found
    category = str(new.properties.get("category") or "")
    if len(category) > CATEGORY_CHARACTERS_MAX:
        found.append(_invalid("category", f"it has over {CATEGORY_CHARACTERS_MAX} characters."))
    auth_type = str(new.properties["authType"])
    shape = CREDENTIALS.get(auth_type)
    if shape is None:
        words = ", ".join(CREDENTIALS)
        found.append(_invalid("authType", f"'{auth_type[:60]}' is none of {words}."))
        return found
    try:
        msgspec.convert(new.properties.get(SENT_CREDENTIALS) or {}, shape)
    except msgspec.ValidationError as problem:
        known = ", ".join(field.encode_name for field in msgspec.structs.fields(shape)) or "nothing"
        reason = f"{problem}. With authType '{auth_type}' it may hold {known}."
        found.append(_invalid(SENT_CREDENTIALS, reason))
    return found


def wanted(query: dict[str, str]) -> Callable[[Resource], bool]:
    """Those of a category or to a target, where the list's query says so."""
    asked = {key: query[key].lower() for key in ("category", "target") if query.get(key)}

    def fits(connection: Resource) -> bool:
        return all(
            str(connection.properties.get(key) or "").lower() == value
            for key, value in asked.items()
        )

    return fits


def _kept(new: Resource, old: Resource | None) -> str | None:
    """The sealed credentials that were there, if they still mean what they meant."""
    if old is None or old.properties.get("authType") != new.properties.get("authType"):
        return None
    return old.properties.get(SEALED)


def _unsealed(box: SecretBox, name: str, kept: str) -> bytes | None:
    """What was sealed; None where that was under another key: it is sealed anew."""
    try:
        return box.unseal(name, kept)
    except SetupError:
        return None


def _sealed_for(connection: Resource) -> str:
    return f"credentials of {connection.id.lower()}"


def _invalid(name: str, reason: str) -> Problem:
    target = f"properties.{name}"
    return Problem("InvalidRequestContent", f"The value of '{target}' is wrong: {reason}", target)
