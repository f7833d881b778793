"""What Azure Resource Manager refuses, in its own envelope.

Codes and texts follow the Resource Manager's and the Cognitive Services provider's answers; where
Azure is silent about the way out, a sentence is added.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from linarite.domain.access_errors import (
    ForeignAudience,
    ForeignTenant,
    TokenExpired,
    TokenRefused,
)
from linarite.domain.errors import LinariteError

if TYPE_CHECKING:
    from collections.abc import Sequence


class Problem(msgspec.Struct, frozen=True):
    """One thing that is wrong with what was asked for."""

    code: str
    message: str
    target: str = ""
    """the property at fault, in dotted form"""
    status: int = 400
    additional_info: tuple[dict[str, Any], ...] = ()
    """what ARM tells beside the message: `{"type", "info"}` each"""


class ArmError(LinariteError):
    """Refused by the control plane: `{"error":{"code","message","target","details"}}`."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        target: str = "",
        details: Sequence[Problem] = (),
        headers: dict[str, str] | None = None,
    ) -> None:
        """`details` are the single problems where there are several."""
        super().__init__(message, headers=headers)
        self.status = status
        self.code = code
        self.target = target
        self.details = tuple(details)
        self.additional_info: tuple[dict[str, Any], ...] = ()
        """as `Problem.additional_info`"""


def refusal(problems: Sequence[Problem]) -> ArmError:
    """One error that tells all problems; a single one stands for itself."""
    first = problems[0]
    if len(problems) == 1:
        error = ArmError(first.status, first.code, first.message, target=first.target)
        error.additional_info = first.additional_info
        return error
    codes = ",".join(dict.fromkeys(problem.code for problem in problems))
    return ArmError(
        max(problem.status for problem in problems),
        "MultipleErrorsOccurred",
        f"Multiple error occurred: {codes}. Please see details.",
        details=problems,
    )


def bad_request(code: str, message: str, *, target: str = "") -> ArmError:
    """A 400."""
    return ArmError(400, code, message, target=target)


def content_invalid(message: str, *, target: str = "") -> ArmError:
    """The body is not what the operation reads."""
    return bad_request("InvalidRequestContent", message, target=target)


def not_authenticated(
    message: str, authorization_uri: str, *, presented: bool, code: str = ""
) -> ArmError:
    """No credential, or one that opens nothing here; the header tells where to get one."""
    why = ', error="invalid_token", error_description="The access token is invalid."'
    return ArmError(
        401,
        code or ("InvalidAuthenticationToken" if presented else "AuthenticationFailed"),
        message,
        headers={
            "www-authenticate": f'Bearer authorization_uri="{authorization_uri}"'
            f"{why if presented else ''}"
        },
    )


def token_refused(refused: LinariteError, tenant: str, authorization_uri: str) -> ArmError:
    """What the Resource Manager says of a token that proves nothing here: 401, with the reason."""
    code, words = "InvalidAuthenticationToken", f"The access token is invalid. {refused.message}"
    if isinstance(refused, TokenRefused):
        words = f"The access token is invalid. {refused.why}"
    if isinstance(refused, TokenExpired):
        code, words = "ExpiredAuthenticationToken", f"The access token has expired. {refused.why}"
    if isinstance(refused, ForeignAudience):
        code = "InvalidAuthenticationTokenAudience"
        words = (
            "The access token has been obtained for wrong audience or resource. It should exactly "
            f"match with one of the allowed audiences. {refused.why}"
        )
    if isinstance(refused, ForeignTenant):
        code = "InvalidAuthenticationTokenTenant"
        words = (
            f"The access token is from the wrong issuer. It must match the tenant '{tenant}' "
            f"associated with this subscription. {refused.message}"
        )
    return not_authenticated(words, authorization_uri, presented=True, code=code)


def authorization_failed(name: str, object_id: str, action: str, scope: str) -> ArmError:
    """Somebody who is known and lacks a role."""
    return ArmError(
        403,
        "AuthorizationFailed",
        f"The client '{name}' with object id '{object_id}' does not have authorization to perform "
        f"action '{action}' over scope '{scope[:500]}' or the scope is invalid. If access was "
        "recently granted, please refresh your credentials.",
    )


def person_needed(action: str, scope: str) -> ArmError:
    """The management key where only a role counts."""
    return ArmError(
        403,
        "AuthorizationFailed",
        f"The management key is not enough to perform the data action '{action}' over scope "
        f"'{scope[:500]}': it is done by somebody, not by whoever has a key. Sign in, with a role "
        "that grants it at that scope.",
    )


def linked_authorization_failed(
    who: tuple[str, str], done: tuple[str, str], linked: tuple[str, str]
) -> ArmError:
    """Somebody who may do it, but not what it takes elsewhere.

    `who` is name and object id; `done` and `linked` are action and scope each.
    """
    return ArmError(
        403,
        "LinkedAuthorizationFailed",
        f"The client '{who[0]}' with object id '{who[1]}' has permission to perform action "
        f"'{done[0]}' on scope '{done[1][:500]}'; however, it does not have permission to perform "
        f"action(s) '{linked[0]}' on the linked scope(s) '{linked[1][:500]}' (respectively) or the "
        "linked scope(s) are invalid.",
    )


def subscription_not_found(subscription: str) -> ArmError:
    """There is no such subscription here."""
    return ArmError(
        404, "SubscriptionNotFound", f"The subscription '{subscription[:100]}' could not be found."
    )


def management_group_not_found(name: str) -> ArmError:
    """There is no such management group here."""
    return ArmError(404, "NotFound", f"Management group '{name[:100]}' could not be found.")


def resource_group_not_found(name: str) -> ArmError:
    """The subscription has no such resource group."""
    return ArmError(
        404, "ResourceGroupNotFound", f"Resource group '{name[:100]}' could not be found."
    )


def resource_not_found(resource_type: str, name: str, resource_group: str) -> ArmError:
    """The resource group has no such resource."""
    return ArmError(
        404,
        "ResourceNotFound",
        f"The Resource '{resource_type}/{name[:300]}' under resource group "
        f"'{resource_group[:100]}' was not found. For more details please go to "
        "https://aka.ms/ARMResourceNotFoundFix",
    )


def parent_not_found(verb: str, resource_type: str, parent_id: str) -> ArmError:
    """A child was asked for whose parent is not there."""
    return ArmError(
        404,
        "ParentResourceNotFound",
        f"Failed to perform '{verb}' on resource(s) of type '{resource_type}', because the parent "
        f"resource '{parent_id[:500]}' could not be found.",
    )


def precondition_failed(resource_id: str) -> ArmError:
    """An `If-Match` or `If-None-Match` that does not hold."""
    return ArmError(
        412,
        "PreconditionFailed",
        f"The condition in the request's If-Match or If-None-Match header does not hold for "
        f"'{resource_id[:500]}'. Read the resource again and use the etag that comes with it.",
    )


def request_conflict(parent_id: str) -> ArmError:
    """Another operation runs on the resource or its parent."""
    return ArmError(
        409,
        "RequestConflict",
        f"Another operation is being performed on the parent resource '{parent_id[:500]}'. Please "
        "try again later.",
        headers={"retry-after": "1"},
    )


def scope_locked(scope: str, verb: str, locked: Sequence[str]) -> ArmError:
    """A lock forbids it, whoever asks."""
    listed = ",".join(locked)
    return ArmError(
        409,
        "ScopeLocked",
        f"The scope '{scope[:500]}' cannot perform {verb} operation because following scope(s) are "
        f"locked: '{listed[:2000]}'. Please remove the lock and try again.",
    )
