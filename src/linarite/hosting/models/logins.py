"""How one signs in where models come from, when that is not left to a person's own sign-ins."""

from __future__ import annotations

import msgspec


class Logins(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is shown to hubs and registries. Empty: whatever a person's own tools left behind."""

    hub_token: str = ""
    registries: dict[str, str] = {}
    """host, with its port, of a registry → `USER:PASSWORD`"""

    def of_registry(self, host: str) -> tuple[str, str] | None:
        """User and password for a registry; None where there is no sign-in."""
        user, mark, password = self.registries.get(host, "").partition(":")
        return (user, password) if mark else None

    def __repr__(self) -> str:
        """Hide them."""
        return f"Logins(hub_token={bool(self.hub_token)}, registries={sorted(self.registries)})"


NO_LOGINS = Logins()
