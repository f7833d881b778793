"""Which identity a caller has: by settings alone, everybody else is refused."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from linarite.signin.managed.peers import user_id, user_of_peer
from linarite.signin.options import BoundIdentity
from linarite.signin.refusals import IdentityRefused

if TYPE_CHECKING:
    from linarite.signin.desk import Desk
    from linarite.signin.directory.records import ServicePrincipal
    from linarite.signin.request import Ask

DECLARED = "/providers/Linarite.SignIn/managedIdentities"
NAMED_BY = {
    "client_id": "app_id",
    "clientid": "app_id",
    "object_id": "object_id",
    "principal_id": "object_id",
    "mi_res_id": "resource_id",
    "msi_res_id": "resource_id",
}
"""parameter → field of the service principal"""
NOT_DIRECT = ("x-forwarded-for", "forwarded", "via", "x-real-ip")
"""headers of what has come through somebody else, whose own identity it would get"""


class Bindings(msgspec.Struct, frozen=True):
    """Settings' `[managed_identities.NAME]`."""

    by_name: Mapping[str, BoundIdentity]

    async def make_declared(self, desk: Desk) -> None:
        """Make the identities that settings name no resource of."""
        for name, bound in self.by_name.items():
            if not bound.identity:
                await desk.directory.ensure_managed_identity(resource_of(name, bound))


def resource_of(name: str, bound: BoundIdentity) -> str:
    """The id of the resource whose identity a binding means."""
    return bound.identity or f"{DECLARED}/{name}"


async def identity_of(ask: Ask, header_secret: str | None, desk: Desk) -> ServicePrincipal:
    """The identity of who calls. `header_secret` None: the form has none.

    Raises IdentityRefused for callers that settings bind to none.
    """
    for name in NOT_DIRECT:
        if name in ask.headers:
            raise IdentityRefused(
                403,
                "access_denied",
                f"A managed identity's token is for who calls directly; this request has come "
                f"through something else (header '{name}').",
            )
    if header_secret is None:
        _require_no_rebinding(ask)
    bound = [
        resource_of(name, binding)
        for name, binding in desk.bindings.by_name.items()
        if await _holds(binding, ask, header_secret)
    ]
    if not bound:
        raise IdentityRefused(
            403,
            "access_denied",
            f"No identity is bound to this caller ({ask.address}"
            f"{', by X-IDENTITY-HEADER' if header_secret is not None else ''}). Bind one in the "
            "settings: [managed_identities.NAME] with address, header_secret or user.",
        )
    principals = map(desk.book.managed_identity, bound)
    # Several tables may mean the same identity: who fits them all still has but one.
    found = {each.object_id: each for each in principals if each is not None}
    return _chosen(ask, list(found.values()), bound)


def _require_no_rebinding(ask: Ask) -> None:
    """Let no web page on this machine pass, whose name has come to mean this machine.

    Its browser sends the page's own name as host, and any header that the page wants; programs
    call this machine `localhost` or by an address. Raises IdentityRefused.
    """
    host = (urlsplit(ask.base_url).hostname or "").rstrip(".")
    if not _is_from("", ask.address) or host == "localhost" or host.endswith(".localhost"):
        return
    try:
        ip_address(host)
    except ValueError:
        raise IdentityRefused(
            403,
            "access_denied",
            f"Call this machine localhost or by an address, not '{host[:200]}': a web page may "
            "have any name mean this machine. With X-IDENTITY-HEADER any name will do.",
        ) from None


async def _holds(binding: BoundIdentity, ask: Ask, header_secret: str | None) -> bool:
    if bool(binding.header_secret) != (header_secret is not None):
        return False
    if header_secret is not None and not hmac.compare_digest(
        header_secret.encode("utf-8", "replace"), binding.header_secret.encode()
    ):
        return False
    if not _is_from(binding.address, ask.address):
        return False
    if not binding.user:
        return True
    wanted = user_id(binding.user)
    return wanted is not None and await user_of_peer(ask.address, ask.port) == wanted


def _is_from(network: str, address: str) -> bool:
    """Whether an address is in a network; "" stands for this machine."""
    try:
        caller = ip_address(address)
    except ValueError:
        return False
    return caller in ip_network(network, strict=False) if network else caller.is_loopback


def _chosen(ask: Ask, found: list[ServicePrincipal], bound: list[str]) -> ServicePrincipal:
    """The one that the request names, else the only one."""
    for parameter, field in NAMED_BY.items():
        wanted = ask.query.get(parameter, "")
        if not wanted:
            continue
        for each in found:
            if str(getattr(each, field)).lower() == wanted.lower():
                return _enabled(each)
        raise IdentityRefused(
            400,
            "invalid_request",
            f"Identity not found: no identity with {parameter} '{wanted[:200]}' is bound to this "
            "caller.",
        )
    if len(found) == 1:
        return _enabled(found[0])
    if found:
        known = ", ".join(f"{each.name} ({each.app_id})" for each in found)
        raise IdentityRefused(
            400,
            "invalid_request",
            f"Multiple user assigned identities exist, please specify the clientId / resourceId of "
            f"the identity in the token request: {known}.",
        )
    raise IdentityRefused(
        400,
        "invalid_request",
        f"Identity not found: {', '.join(bound)} has none (yet). Make the user-assigned identity, "
        "or give the resource an identity of its own.",
    )


def _enabled(principal: ServicePrincipal) -> ServicePrincipal:
    if not principal.enabled:
        raise IdentityRefused(400, "invalid_request", f"The identity {principal.name} is disabled.")
    return principal
