"""The endpoints of managed identities: App Service's, virtual machines', Azure Arc's.

Source: learn.microsoft.com, "How to use managed identities for App Service", "How to use managed
identities for Azure resources on an Azure VM to acquire an access token", "Authenticate against
Azure resources with Azure Arc-enabled servers".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from linarite.domain.errors import LinariteError
from linarite.domain.sign_in import SignInEvent
from linarite.signin.managed.callers import identity_of
from linarite.signin.refusals import IdentityRefused, SignInRefused
from linarite.signin.request import Reply
from linarite.signin.tokens.access_token import V1, Granted, access_token

if TYPE_CHECKING:
    from linarite.signin.desk import Desk
    from linarite.signin.directory.records import ServicePrincipal
    from linarite.signin.request import Ask

ARC = frozenset(("2019-11-01", "2020-06-01"))
MACHINES = frozenset(("2018-02-01", "2019-08-01", "2021-02-01"))
APP_SERVICE = {"2019-08-01": "x-identity-header", "2017-09-01": "secret"}
"""api-version → the header with the secret"""
REFUSED = 100_000
"""the code of refusals that Entra ID has no number for"""


async def of_machine(ask: Ask, desk: Desk) -> Reply:
    """`/metadata/identity/oauth2/token`."""
    return await _told(ask, desk, _of_machine)


async def of_app(ask: Ask, desk: Desk) -> Reply:
    """`/msi/token`, what IDENTITY_ENDPOINT names."""
    return await _told(ask, desk, _of_app)


async def _of_machine(ask: Ask, desk: Desk) -> tuple[ServicePrincipal, Reply]:
    if ask.headers.get("metadata", "").lower() != "true":
        raise IdentityRefused(
            400, "invalid_request", "Required metadata header not specified: send 'Metadata: true'."
        )
    version = _version(ask)
    if version in ARC:
        await _challenge(ask, desk)
    elif version not in MACHINES:
        raise _unknown_version(version, [*MACHINES, *ARC])
    return await _token(ask, await identity_of(ask, None, desk), desk)


async def _of_app(ask: Ask, desk: Desk) -> tuple[ServicePrincipal, Reply]:
    version = _version(ask)
    header = APP_SERVICE.get(version)
    if header is None:
        raise _unknown_version(version, list(APP_SERVICE))
    presented = ask.headers.get(header)
    if not presented:
        raise IdentityRefused(
            401,
            "invalid_request",
            f"The header {header.upper()} is missing: it carries the value of IDENTITY_HEADER.",
        )
    return await _token(ask, await identity_of(ask, presented, desk), desk)


async def _challenge(ask: Ask, desk: Desk) -> None:
    """Let in who has read the file of a challenge; give others one. Raises IdentityRefused."""
    # Who would get nothing writes no files here.
    await identity_of(ask, None, desk)
    scheme, _, presented = ask.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic" and desk.challenges.meet(presented.strip()):
        return
    path = await desk.challenges.begin()
    raise IdentityRefused(
        401,
        "unauthorized",
        "Send the content of the file that WWW-Authenticate names, as 'Authorization: Basic …'.",
        headers={"www-authenticate": f"Basic realm={path}"},
    )


async def _token(
    ask: Ask, principal: ServicePrincipal, desk: Desk
) -> tuple[ServicePrincipal, Reply]:
    resource = ask.query.get("resource", "")
    if not resource:
        raise IdentityRefused(
            400, "invalid_request", "Required query variable 'resource' is missing."
        )
    wanted = desk.audiences.by_name(resource, ask.base_url)
    granted = Granted(principal, wanted, principal.app_id, "2", V1)
    moment, seconds = int(desk.now()), desk.options.token_minutes * 60
    body: dict[str, Any] = {
        "access_token": await access_token(granted, desk),
        "client_id": principal.app_id,
        "expires_in": str(seconds),
        "expires_on": str(moment + seconds),
        "ext_expires_in": str(seconds),
        "not_before": str(moment),
        "resource": resource,
        "token_type": "Bearer",
    }
    return principal, Reply(body=body)


async def _told(ask: Ask, desk: Desk, get: Any) -> Reply:  # noqa: ANN401 - one of the two above
    """Answer, and have it kept who got a token or why not."""
    resource = ask.query.get("resource", "")[:200]
    how = "managed_identity"
    try:
        principal, reply = await get(ask, desk)
    except LinariteError as problem:
        if problem.code != "unauthorized":
            code = problem.number if isinstance(problem, SignInRefused) else REFUSED
            await desk.tell(ask, SignInEvent(at=0, how=how, resource=resource, code=code))
        if isinstance(problem, SignInRefused):
            raise IdentityRefused(problem.status, problem.error, problem.message) from None
        raise
    await desk.tell(
        ask,
        SignInEvent(
            at=0,
            how=how,
            client_id=principal.app_id,
            object_id=principal.object_id,
            name=principal.name,
            resource=resource,
        ),
    )
    return reply


def _version(ask: Ask) -> str:
    version = ask.query.get("api-version", "")
    if not version:
        raise IdentityRefused(
            400, "invalid_request", "Required query variable 'api-version' is missing."
        )
    return version


def _unknown_version(version: str, known: list[str]) -> IdentityRefused:
    return IdentityRefused(
        400,
        "invalid_request",
        f"The api-version '{version[:40]}' is not known here. There are: "
        f"{', '.join(sorted(set(known)))}.",
    )
