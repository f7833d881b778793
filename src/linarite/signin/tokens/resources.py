"""What a token may be for: from the words of a request to an audience."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from linarite.signin.directory.records import Application
from linarite.signin.refusals import refused

if TYPE_CHECKING:
    from collections.abc import Iterable

    from linarite.signin.directory.book import DirectoryBook

DEFAULT = "/.default"
WELL_KNOWN = frozenset(
    (
        "https://cognitiveservices.azure.com",
        "https://ai.azure.com",
        "https://management.azure.com",
        "https://management.core.windows.net",
        "https://graph.microsoft.com",
        "https://metrics.monitor.azure.com",
        "api://azureadtokenexchange",
    )
)
"""what clients of Azure ask for, without a slash at the end"""
OPENID = frozenset(("openid", "profile", "email", "offline_access"))
"""scopes that are no resource's"""
SCOPES_MAX = 50
SCOPE_CHARACTERS_MAX = 2000
"""a request waits for its person with all of its scopes, and anybody may make many"""


class Wanted(msgspec.Struct, frozen=True):
    """What a request asks a token for."""

    audience: str
    """the resource as it was named; "" for none"""
    application: Application | None = None
    """the registration that is meant"""
    scopes: tuple[str, ...] = ()
    """the words after the resource, `.default` left out"""
    openid: frozenset[str] = frozenset()

    @property
    def text(self) -> str:
        """The same as a scope of an answer says it."""
        base = self.audience.rstrip("/") if self.audience else ""
        words = [f"{base}/{each}" for each in (self.scopes or (".default",))] if base else []
        return " ".join((*sorted(self.openid), *words))


class Resources:
    """The resources that tokens are given out for."""

    def __init__(self, book: DirectoryBook, others: Iterable[str]) -> None:
        """`others` are those that settings name."""
        self._book = book
        self._known = WELL_KNOWN | {each.rstrip("/").lower() for each in others}

    def by_scope(self, scope: str, base_url: str) -> Wanted:
        """What a version 2 request asks for.

        Raises SignInRefused for resources that are not known, for several at once, for none.
        """
        if len(scope) > SCOPE_CHARACTERS_MAX:
            raise refused(90014, why=f"its scope is longer than {SCOPE_CHARACTERS_MAX} characters")
        words = scope.split()[:SCOPES_MAX]
        openid = frozenset(word.lower() for word in words) & OPENID
        rest = [word for word in words if word.lower() not in OPENID]
        named: dict[str, list[str]] = {}
        for word in rest:
            resource, _, permission = word.rpartition("/")
            if not resource or resource.endswith(":/"):
                raise refused(70011, scope=word)
            named.setdefault(resource, []).append(permission)
        if len({each.lower() for each in named}) > 1:
            raise refused(28000, scope=scope)
        if not named:
            return Wanted("", openid=openid)
        ((resource, permissions),) = named.items()
        return Wanted(
            audience=resource,
            application=self._require(resource, base_url),
            scopes=tuple(each for each in permissions if each != ".default"),
            openid=openid,
        )

    def by_name(self, resource: str, base_url: str) -> Wanted:
        """What a version 1 request, or one for a managed identity, asks for."""
        return Wanted(resource, self._require(resource, base_url))

    def is_known(self, resource: str) -> bool:
        """Whether it is a resource of Azure's, or one of those that settings name."""
        return resource.rstrip("/").lower() in self._known

    def is_this_server(self, audience: str, base_url: str) -> bool:
        """Whether a token's audience is this server, by the name that the client calls it.

        A client calls it what it likes: a token that was given out for somebody else, who may now
        be showing it, is not for this server however it is called.
        """
        return (
            audience.rstrip("/").lower() == base_url.lower()
            and self._book.resource_application(audience) is None
            and not self.is_known(audience)
        )

    def _require(self, resource: str, base_url: str) -> Application | None:
        plain = resource.rstrip("/").lower()
        application = self._book.resource_application(resource)
        if application is None and plain not in self._known and plain != base_url.lower():
            raise refused(500011, resource=resource)
        return application
