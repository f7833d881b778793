"""Where messages go: looked up at each attempt, so that a change acts on what waits already."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import msgspec

from linarite.domain.arm_id import segments_of
from linarite.domain.dial import Purpose
from linarite.domain.errors import EgressRefused, SetupError
from linarite.domain.target import Target, target_of
from linarite.webhooks.signature import secrets_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from linarite.domain.notice import Notice
    from linarite.webhooks.options import WebhookSettings

DECLARED = "webhooks."
"""begins the names of those that settings declare"""


class Destination(msgspec.Struct, frozen=True):
    """One receiver."""

    target: Target
    secrets: tuple[bytes, ...]
    """it is signed with each of them"""
    ca_file: str = ""
    purpose: Purpose = "webhook"
    """whose rules hold for the way there"""

    def __repr__(self) -> str:
        """Hide the secrets and the path, which often is one."""
        return f"Destination(host={self.target.host!r})"


class DeclaredDestinations:
    """Those under `[webhooks.NAME]`. Raises SetupError for what can't work."""

    def __init__(self, declared: Mapping[str, WebhookSettings]) -> None:
        self._declared = declared
        self._found = {
            f"{DECLARED}{name}": Destination(
                declared_target(name, each),
                secrets_of(each.secret, f"webhooks.{name}.secret"),
                each.ca_file,
            )
            for name, each in declared.items()
        }

    def get(self, name: str) -> Destination | None:
        """The one of a name, None when settings declare it no more."""
        return self._found.get(name)

    def wanting(self, notice: Notice) -> list[str]:
        """The names of those that want to hear of it."""
        account = segments_of(notice.account_id)[-1] if notice.account_id else ""
        return [
            f"{DECLARED}{name}"
            for name, each in self._declared.items()
            if any(fnmatchcase(notice.type, pattern) for pattern in each.events)
            and each.account.lower() in ("", account.lower())
        ]


def declared_hosts(declared: Mapping[str, WebhookSettings]) -> frozenset[str]:
    """The hosts that settings name by declaring webhooks there. Raises SetupError."""
    return frozenset(declared_target(name, each).host for name, each in declared.items())


def declared_target(name: str, declared: WebhookSettings) -> Target:
    """Where a declared one is. Raises SetupError."""
    try:
        return target_of(declared.url)
    except EgressRefused:
        # The refusal quotes the URL, and with it what may be a secret.
        raise SetupError(
            f"webhooks.{name}.url must look like https://host/path, optionally with a port, and "
            "hold no user information, fragment, space or backslash."
        ) from None
