"""Whose a token is: from its claims to the principal that roles, logs and audit name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast
from uuid import NAMESPACE_URL, UUID, uuid5

from linarite.domain.access_errors import TokenRefused
from linarite.domain.principal import SERVICE_PRINCIPAL, USER, Principal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from linarite.controls.authenticate.options import IssuerSettings

NAME_CHARACTERS_MAX = 256
GROUPS_MAX = 1000
_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
_OF_PEOPLE = ("scp", "upn", "unique_name", "email", "preferred_username")
_SERVICE_ACCOUNT = "service-account-"
"""how Keycloak names the user that stands for a client"""


def principal_of(claims: dict[str, Any], settings: IssuerSettings) -> Principal:
    """The principal that verified claims mean. Raises TokenRefused when they mean nobody."""
    issuer = _text(claims, "iss")
    subject = _first(claims, settings.object_id_claims)
    if not subject:
        raise TokenRefused(
            f"The token names nobody: it has none of {', '.join(settings.object_id_claims)}."
        )
    derived = settings.object_ids == "derived"
    kind = _kind(claims) if settings.kind == "auto" else settings.kind
    return Principal(
        kind=kind,
        name=_first(claims, settings.name_claims)[:NAME_CHARACTERS_MAX] or subject,
        object_id=object_id_of(issuer, subject, derived=derived),
        tenant_id=_text(claims, "tid").lower(),
        app_id=_first(claims, ("appid", "azp", "client_id"))[:NAME_CHARACTERS_MAX],
        groups=frozenset(
            group_id_of(issuer, group, derived=derived)
            for group in _groups(claims, settings.groups_claim)
        ),
        issuer=issuer,
        token_id=_first(claims, ("uti", "jti")),
        expires_at=int(claims["exp"]),
        resource_id=_first(claims, ("xms_mirid", "xms_az_rid")),
    )


def object_id_of(issuer: str, subject: str, *, derived: bool = False) -> str:
    """The GUID that roles are assigned to: the subject itself, or made of issuer and subject.

    UUID version 5 in the namespace that is the version 5 of the issuer among URLs, so that it is
    the same on every server and at any time.
    """
    if not derived and _GUID.fullmatch(subject):
        return subject.lower()
    return str(uuid5(_namespace(issuer), subject))


def group_id_of(issuer: str, group: str, *, derived: bool = False) -> str:
    """The same for a group; `group:` before its name keeps it apart from a user of that name."""
    if not derived and _GUID.fullmatch(group):
        return group.lower()
    return str(uuid5(_namespace(issuer), f"group:{group}"))


def _namespace(issuer: str) -> UUID:
    return uuid5(NAMESPACE_URL, issuer)


def _kind(claims: dict[str, Any]) -> str:
    """A user's or an application's, as Entra ID's claims tell; `idtyp` is there when asked for."""
    told = _text(claims, "idtyp").lower()
    if told:
        return USER if told == "user" else SERVICE_PRINCIPAL
    names = [_text(claims, name) for name in _OF_PEOPLE]
    if any(name and not name.startswith(_SERVICE_ACCOUNT) for name in names):
        return USER
    return SERVICE_PRINCIPAL


def _groups(claims: dict[str, Any], name: str) -> list[str]:
    listed: object = claims.get(name)
    if not isinstance(listed, list):
        return []
    groups = [each for each in cast("list[object]", listed) if isinstance(each, str)]
    if len(groups) > GROUPS_MAX:
        raise TokenRefused(f"The claim '{name}' lists more than {GROUPS_MAX} groups.")
    return groups


def _first(claims: dict[str, Any], names: Iterable[str]) -> str:
    return next((found for name in names if (found := _text(claims, name))), "")


def _text(claims: dict[str, Any], name: str) -> str:
    value: object = claims.get(name)
    return value if isinstance(value, str) else ""
