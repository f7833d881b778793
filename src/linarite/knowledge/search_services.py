"""Azure AI Search services that settings declare, and what opens a service for a request."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

from linarite.domain.data_source_errors import DataSourceInvalid, SearchFailed
from linarite.domain.errors import EgressRefused, SetupError
from linarite.domain.target import Target, target_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from linarite.knowledge.asker import Asker
    from linarite.knowledge.options import SearchServiceSettings

TOKEN_BYTES_MAX = 64 * 1024
UNAUTHORIZED = 401
AT = "/data_sources/0/azure_search/parameters"
"""where the fields of a source stand in a request"""


def search_hosts(declared: Mapping[str, SearchServiceSettings]) -> frozenset[str]:
    """The hosts that settings name. Raises SetupError."""
    return frozenset(_target(name, each).host for name, each in declared.items())


def _target(name: str, declared: SearchServiceSettings) -> Target:
    try:
        return target_of(declared.endpoint)
    except EgressRefused as refused:
        raise SetupError(f"search_services.{name}.endpoint: {refused.message}") from None


class SearchServices:
    """Those under `[search_services.NAME]`."""

    def __init__(self, declared: Mapping[str, SearchServiceSettings]) -> None:
        """Raises SetupError for an endpoint that can't be one."""
        self._declared = [(_target(name, each), each) for name, each in declared.items()]

    def ca_file(self, target: Target) -> str | None:
        """Whose certificates are trusted there, if that is said."""
        for there, each in self._declared:
            if _same(there, target) and each.ca_file:
                return each.ca_file
        return None

    def require_safe(self, target: Target) -> None:
        """Raise DataSourceInvalid where a key would go over the wire for everybody to read."""
        if not target.tls and not any(_same(there, target) for there, _ in self._declared):
            problem = (
                "URL scheme should be 'https'. Without TLS only services are spoken to that "
                "settings declare: [search_services.NAME] with this endpoint"
            )
            raise DataSourceInvalid([f"{AT}/endpoint: {problem}"])

    async def opening(
        self, authentication: Mapping[str, Any], target: Target, asker: Asker
    ) -> tuple[str, str]:
        """The header that opens a service for a request. Raises SearchFailed.

        A managed identity is what settings declare for the service and the account.
        """
        given = given_header(authentication)
        if given is not None:
            return given
        identity = str(authentication.get("managed_identity_resource_id", ""))
        found = self._of_identity(identity, target, asker)
        if found is None:
            whose = f"the identity '{identity[:200]}'" if identity else "the account's identity"
            raise SearchFailed(
                f"Azure Search Error: {UNAUTHORIZED}: this server has nothing that opens "
                f"{target.host_header} for {whose}. Give a key ('api_key'), or have the service "
                f"declared in settings: [search_services.NAME] with endpoint, api_key or "
                "token_file, and accounts."
            )
        if found.token_file:
            return "authorization", f"Bearer {await asyncio.to_thread(_token, found.token_file)}"
        return "api-key", header_value(found.api_key)

    def _of_identity(
        self, identity: str, target: Target, asker: Asker
    ) -> SearchServiceSettings | None:
        for there, each in self._declared:
            meant = _same(there, target) and each.managed_identity.lower() == identity.lower()
            allowed = not each.accounts or asker.account in {name.lower() for name in each.accounts}
            if meant and allowed and (each.api_key or each.token_file):
                return each
        return None


def given_header(authentication: Mapping[str, Any]) -> tuple[str, str] | None:
    """What a request opens a service with by itself; None for an identity. Raises SearchFailed."""
    kind = authentication["type"]
    if kind == "api_key":
        return "api-key", header_value(str(authentication["key"]))
    if kind == "access_token":
        return "authorization", f"Bearer {header_value(str(authentication['access_token']))}"
    return None


def header_value(told: str) -> str:
    """A credential as a header can carry it. Raises SearchFailed."""
    if not told or not told.isascii() or not told.isprintable():
        raise SearchFailed(
            f"Azure Search Error: {UNAUTHORIZED}: what is given as the key or token is none."
        )
    return told


def _same(one: Target, other: Target) -> bool:
    return (one.tls, one.host, one.port) == (other.tls, other.host, other.port)


def _token(file: str) -> str:
    try:
        with Path(file).open("rb") as opened:
            return header_value(opened.read(TOKEN_BYTES_MAX).decode("latin-1").strip())
    except OSError as problem:
        raise SearchFailed(
            f"The access token of the account's identity can't be read: {problem.strerror}.",
            status=424,
        ) from None
