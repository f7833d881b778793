"""Objects of the directory in a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from linarite.cli.arm.answers import part, parts

if TYPE_CHECKING:
    from collections.abc import Iterable


def app_row(app: dict[str, Any]) -> dict[str, object]:
    """An application's line."""
    return {
        "name": app["displayName"],
        "client id": app["appId"],
        "secrets": len(parts(app, "passwordCredentials")),
        "certificates": len(parts(app, "keyCredentials")),
        "public": bool(app.get("isFallbackPublicClient")),
    }


def app_facts(app: dict[str, Any]) -> dict[str, object]:
    """What is worth knowing about it."""
    uris = [*_texts(part(app, "web"), "redirectUris")]
    uris += _texts(part(app, "publicClient"), "redirectUris")
    return app_row(app) | {
        "object id": app["id"],
        "identifier URIs": ", ".join(_texts(app, "identifierUris")),
        "redirect URIs": ", ".join(uris),
        "created": app.get("createdDateTime"),
    }


def secret_row(secret: dict[str, Any]) -> dict[str, object]:
    """A client secret's line; never the secret."""
    return {
        "name": secret.get("displayName", ""),
        "begins with": secret.get("hint", ""),
        "ends": secret.get("endDateTime", ""),
        "id": secret["keyId"],
    }


def certificate_row(certificate: dict[str, Any]) -> dict[str, object]:
    """A certificate's line."""
    return {
        "name": certificate.get("displayName", ""),
        "thumbprint": certificate.get("customKeyIdentifier", ""),
        "ends": certificate.get("endDateTime", ""),
        "id": certificate["keyId"],
    }


def federated_row(credential: dict[str, Any]) -> dict[str, object]:
    """A federated credential's line."""
    return {
        "name": credential["name"],
        "issuer": credential["issuer"],
        "subject": credential["subject"],
        "audiences": ", ".join(_texts(credential, "audiences")),
    }


def principal_row(principal: dict[str, Any]) -> dict[str, object]:
    """A service principal's line."""
    return {
        "name": principal["displayName"],
        "kind": principal.get("servicePrincipalType", ""),
        "client id": principal["appId"],
        "object id": principal["id"],
        "enabled": bool(principal.get("accountEnabled", True)),
    }


def user_row(user: dict[str, Any]) -> dict[str, object]:
    """A user's line."""
    return {
        "user name": user["userPrincipalName"],
        "name": user["displayName"],
        "object id": user["id"],
        "enabled": bool(user.get("accountEnabled", True)),
    }


def group_row(group: dict[str, Any]) -> dict[str, object]:
    """A group's line."""
    return {
        "name": group["displayName"],
        "description": group.get("description") or "",
        "object id": group["id"],
    }


def member_row(member: dict[str, Any]) -> dict[str, object]:
    """The line of somebody in a group."""
    return {
        "name": member["displayName"],
        "kind": str(member.get("@odata.type", "")).rpartition(".")[2],
        "object id": member["id"],
    }


def _texts(answer: dict[str, Any], name: str) -> Iterable[str]:
    value = answer.get(name)
    return [str(each) for each in value] if isinstance(value, list) else []  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType] - JSON
