"""What a control plane refuses, in words for the person who typed."""

from __future__ import annotations

from typing import Any, cast

import msgspec

from linarite.cli.arm.answers import parts
from linarite.domain.errors import SetupError

NOT_FOUND = 404
NOT_FOUND_EXIT_CODE = 3
"""as az has it, so that scripts can tell a missing resource from any other failure"""
BODY_SHOWN_CHARACTERS = 200

WAYS_OUT = {
    "AuthenticationFailed": "Give the server's management key: --key-file FILE or --key env:NAME. "
    "On its machine, `linarite keys --management --show` prints it.",
    "InvalidAuthenticationToken": "This is not the server's management key. On its machine, "
    "`linarite keys --management --show` prints it.",
    "ResourceGroupNotFound": "See which resource groups there are: linarite group list",
    "ResourceNotFound": "See what is there: the `list` of the same command, linarite account list, "
    "linarite deployment list",
    "ParentResourceNotFound": "See which accounts there are: linarite account list",
    "RequestConflict": "See what runs: linarite operation list",
    "InsufficientQuota": "See what is taken: linarite usage list",
    "DeploymentModelNotSupported": "See what can be deployed: linarite model list --deployable",
    "FlagMustBeSetForRestore": "Bring it back: linarite account recover NAME. Or destroy it for "
    "good: linarite account purge NAME",
    "DeploymentActive": "Wait for it: linarite operation list",
}
"""by ARM's code"""


class ServerRefused(SetupError):
    """A control plane's refusal, with all of its reasons."""

    def __init__(
        self, message: str, *, reasons: tuple[str, ...] = (), status: int = 400, way_out: str = ""
    ) -> None:
        """`reasons` stand on lines of their own below the message, the way out last."""
        super().__init__(message)
        self.status = status
        self.lines = (*reasons, way_out) if way_out else reasons

    @property
    def exit_code(self) -> int:
        """For the shell."""
        return NOT_FOUND_EXIT_CODE if self.status == NOT_FOUND else 1


def refused(status: int, body: bytes, endpoint: str) -> ServerRefused:
    """The refusal that an answer's body holds."""
    try:
        told = msgspec.json.decode(body)
    except msgspec.DecodeError:
        told = None
    error = cast("dict[str, Any]", told).get("error") if isinstance(told, dict) else None
    if not isinstance(error, dict):
        shown = body.decode("utf-8", "replace").strip()[:BODY_SHOWN_CHARACTERS]
        return ServerRefused(
            f"{endpoint} answered {status}, which is no answer of a control plane's: "
            f"{shown or 'nothing'}. Is it the address of a Linarite server, without any path?",
            status=status,
        )
    return failed(cast("dict[str, Any]", error), status=status)


def failed(error: dict[str, Any], *, status: int = 400) -> ServerRefused:
    """An error as Azure Resource Manager writes it: code, message, target, details within details.

    Source: learn.microsoft.com, "Resource Manager API error details".
    """
    reasons = tuple(_reasons(error, 1))
    codes = [str(error.get("code") or ""), *_codes(error)]
    way_out = next((WAYS_OUT[code] for code in codes if code in WAYS_OUT), "")
    return ServerRefused(_told(error), reasons=reasons, status=status, way_out=way_out)


def _told(error: dict[str, Any]) -> str:
    code, message = str(error.get("code") or ""), str(error.get("message") or "").strip()
    target = error.get("target")
    where = f" ({target})" if target and str(target) not in message else ""
    # the data plane's refusals may have words alone
    return f"{code or 'Failed'}: {message}{where}" if code or not message else f"{message}{where}"


def _reasons(error: dict[str, Any], depth: int) -> list[str]:
    lines: list[str] = []
    for each in parts(error, "details"):
        lines.append(f"{'  ' * depth}- {' '.join(_told(each).split())}")
        lines += _reasons(each, depth + 1)
    return lines


def _codes(error: dict[str, Any]) -> list[str]:
    codes: list[str] = []
    for each in parts(error, "details"):
        codes += [str(each.get("code") or ""), *_codes(each)]
    return codes
