"""What is typed about application keys."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from linarite.domain.application_key import moment_of
from linarite.domain.errors import SetupError

LIFETIME = re.compile(r"(?P<count>[1-9]\d{0,4})(?P<unit>[hdw])")
UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


@dataclass(frozen=True, kw_only=True)
class KeyNamed:
    """Which application's key."""

    name: Annotated[str, typer.Argument(help="Name of the application key.", show_default=False)]


@dataclass(frozen=True, kw_only=True)
class Create:
    """What the key shall open, how long, and for whom."""

    expires: Annotated[
        str | None,
        typer.Option(
            help="When it ends: after 12h, 90d or 8w, or at a date.", show_default="it does not"
        ),
    ] = None
    role: Annotated[
        str | None,
        typer.Option(
            help="The one role it has, by name or id.",
            show_default="Cognitive Services OpenAI User",
        ),
    ] = None
    deployment: Annotated[
        list[str] | None,
        typer.Option(help="Deployment that it may use; repeatable.", show_default="all"),
    ] = None
    allow_absent: Annotated[
        bool, typer.Option("--allow-absent", help="Take deployments that there are none of yet.")
    ] = False
    owner: Annotated[str | None, typer.Option(help="Whom to ask: an object id, or any text.")] = (
        None
    )
    tokens_per_minute: Annotated[
        int | None, typer.Option(help="Tokens that it may use in any minute.", min=1)
    ] = None
    requests_per_minute: Annotated[
        int | None, typer.Option(help="Requests that it may make in any minute.", min=1)
    ] = None

    def properties(self, role_id: str | None, now: datetime) -> dict[str, Any]:
        """The body that asks for it. Raises SetupError."""
        quota = {
            "tokensPerMinute": self.tokens_per_minute,
            "requestsPerMinute": self.requests_per_minute,
        }
        said: dict[str, Any] = {
            "expiresAt": None if self.expires is None else expiry(self.expires, now),
            "roleDefinitionId": role_id,
            "deployments": self.deployment,
            "owner": self.owner,
            "quota": {name: count for name, count in quota.items() if count} or None,
        }
        return {name: value for name, value in said.items() if value is not None}


def expiry(typed: str, now: datetime) -> str:
    """When a key ends, as the server reads it. Raises SetupError."""
    lifetime = LIFETIME.fullmatch(typed.strip().lower())
    try:
        if lifetime is not None:
            moment = now + int(lifetime["count"]) * UNITS[lifetime["unit"]]
        else:
            moment = moment_of(typed.strip())
    except (ValueError, OverflowError):
        raise SetupError(
            f"--expires {typed}: write how long, as 12h, 90d or 8w, or a date, as 2027-01-31."
        ) from None
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
