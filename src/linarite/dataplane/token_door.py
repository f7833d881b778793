"""Callers with access tokens: who they are, and whether a role lets them in.

Source: Azure OpenAI's authentication page, and the answers people have met (`access_errors`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.domain.access import NO_ASSIGNMENT
from linarite.domain.access_errors import PermissionDenied, SubdomainRequired, TokenRefused
from linarite.domain.errors import LinariteError

if TYPE_CHECKING:
    from linarite.dataplane.call import Call, Operation
    from linarite.domain.access import Access, Decision
    from linarite.domain.facts import Facts
    from linarite.domain.principal import Principal, TokenVerifier

_BRACES = {"deployment": "{deployment-id}", "model": "{model}"}
"""what stands in Azure's templates in the place of a path's argument"""
WAY_OUT = "A role assignment at the account, or at the deployment, must grant it."
"""the same whether there is such an account or not"""
NOWHERE = "/nowhere"
"""where an account would be that there is not"""


class TokenDoor:
    """Lets in who shows an access token instead of a key."""

    def __init__(self, tokens: TokenVerifier, audiences: frozenset[str], access: Access) -> None:
        """`audiences`: for whom a token must be."""
        self._tokens = tokens
        self._audiences = audiences
        self._access = access
        self.authorization_uri = ""
        """where tokens are given out, as refusals tell it; known when the server listens"""

    def known(self, token: str) -> Principal | None:
        """Whose a token is that was verified before; touches nothing but memory."""
        return self._tokens.known(token, self._audiences)

    def says_to_be(self, token: str, object_ids: frozenset[str]) -> bool:
        """Whether a token claims to be one of these; costs no signature, and proves nothing."""
        return self._tokens.says_to_be(token, object_ids)

    def as_it_is_now(self, principal: Principal) -> Principal:
        """Who was let in before, as now known. Raises TokenRefused for who has gone."""
        return self._tokens.as_it_is_now(principal)

    async def recognise(self, token: str) -> Principal:
        """Whose it is. Raises TokenRefused, ForeignTenant and ServiceUnavailable."""
        try:
            return await self._tokens.verify(token, self._audiences)
        except TokenRefused as refused:
            refused.headers["www-authenticate"] = self._challenge()
            raise

    def admit(self, call: Call, found: Operation | LinariteError, facts: Facts | None) -> Facts:
        """The account's facts, for whom a role lets in to the operation, maybe at a deployment.

        An account that there is not answers as one where the caller has no role.
        Raises PermissionDenied, SubdomainRequired, and `found` where it is an error.
        """
        principal = call.principal
        assert principal is not None  # noqa: S101 - the pipeline has set it
        if facts is None:
            call.account = ""
        else:
            call.account, call.account_id = facts.account.name, facts.account.id
        if isinstance(found, LinariteError):
            raise found  # the same for every account, so it tells nothing of any
        scope = NOWHERE if facts is None else facts.account.id
        decision = self._access.decide(principal, found.action, scope, is_data=True)
        call.decision = decision if facts is not None else None
        if facts is None or not (
            decision.allowed
            or self._access.reaches_into(principal, found.action, scope, is_data=True)
        ):
            raise refusal(call, found, decision)
        if not facts.account.has_subdomain:
            raise SubdomainRequired
        return facts

    def admit_to_deployment(self, call: Call, found: Operation) -> None:
        """Let pass whom a role lets in to the very deployment, which a deny assignment may close.

        What is done with no deployment takes a role at the account. Raises PermissionDenied.
        """
        principal, decision = call.principal, call.decision
        assert principal is not None  # noqa: S101 - `admit` has been called
        assert decision is not None  # noqa: S101 - as above
        if call.deployment is not None:
            decision = self._access.decide(
                principal, found.action, call.deployment.id, is_data=True
            )
            call.decision = decision
        if not decision.allowed:
            raise refusal(call, found, decision)

    def _challenge(self) -> str:
        where = f' authorization_uri="{self.authorization_uri}"' if self.authorization_uri else ""
        return f"Bearer{where}"


def refusal(call: Call, found: Operation, decision: Decision) -> PermissionDenied:
    """What Azure says to a principal that lacks the data action, with the roles that grant it."""
    object_id = call.principal.object_id if call.principal is not None else ""
    # What a deny assignment says is for those who may read it.
    helping = decision.reason if decision.rule == NO_ASSIGNMENT else ""
    hint = f"{WAY_OUT} {helping}".strip()
    return PermissionDenied(object_id, found.action, line_of(call), hint)


def line_of(call: Call) -> str:
    """Method and template, as Azure names an operation to those who may not do it."""
    path = "/openai/" + call.path.rpartition("/openai/")[2]
    for name, value in call.path_arguments.items():
        path = path.replace(f"/{value}", f"/{_BRACES.get(name, name)}", 1)
    return f"{call.method} {path}"
