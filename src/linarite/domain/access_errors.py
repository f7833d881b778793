"""Refusals of tokens and of those who lack a role, in the words of Azure's data plane.

    GatewayError
    ├── TokenRefused             401  what is wrong with the token is told in `innererror`
    │   ├── TokenExpired         401
    │   └── ForeignAudience      401  meant for another service, or for the other plane
    ├── CertificateRefused       401  a client certificate that holds no more
    ├── PermissionDenied         401  Azure's way: not 403
    ├── SubdomainRequired        400  tokens want an account with a subdomain
    └── ForeignTenant            400

Sources: Azure OpenAI's authentication page and the answers people have met.
"""

from __future__ import annotations

from linarite.domain.errors import GatewayError


class TokenRefused(GatewayError):
    """An access token that proves nothing here."""

    control = "authentication"
    status = 401
    code = "Unauthorized"

    def __init__(self, why: str, *, lasting: bool = True) -> None:
        """`why` is safe to show: it names the claim at fault, never its value's secret parts.

        `lasting`: the same token can't become good later, so it need not be looked at again.
        """
        super().__init__(
            "Access token is missing, invalid, audience is incorrect "
            "(https://cognitiveservices.azure.com), or have expired.",
            hint={"code": "InvalidToken", "message": why},
        )
        self.why = why
        self.lasting = lasting


class TokenExpired(TokenRefused):
    """A token that was good once."""


class ForeignAudience(TokenRefused):
    """A good token that was given out for something else."""


class CertificateRefused(GatewayError):
    """A client certificate that was good when its TLS session began."""

    control = "authentication"
    status = 401
    code = "Unauthorized"

    def __init__(self, why: str) -> None:
        """`why` goes on after "it"."""
        super().__init__(f"The client certificate is not accepted: {why}.")


class PermissionDenied(GatewayError):
    """The token or key is good, and no role grants the data action."""

    control = "authorization"
    status = 401
    code = "PermissionDenied"

    def __init__(self, who: str, action: str, operation: str, hint: str = "") -> None:
        """`who`: an object id, or an application key's name.

        `operation` is method and template: `POST /openai/v1/responses`.
        """
        super().__init__(
            f"The principal `{who}` lacks the required data action `{action}` to perform "
            f"`{operation}` operation.",
            hint={"code": "PermissionDenied", "message": hint} if hint else None,
        )


class SubdomainRequired(GatewayError):
    """A token for an account that has no subdomain of its own."""

    control = "authentication"
    status = 400
    code = "BadRequest"

    def __init__(self) -> None:
        """Say what Azure says."""
        super().__init__(
            "Please provide a custom subdomain for token authentication, otherwise API key is "
            "required."
        )


class ForeignTenant(GatewayError):
    """A good token of a tenant that the account does not belong to."""

    control = "authentication"
    status = 400
    code = "BadRequest"

    def __init__(self, tenant_id: str) -> None:
        """Say what Azure says."""
        super().__init__(f"Token tenant {tenant_id} does not match resource tenant.")
