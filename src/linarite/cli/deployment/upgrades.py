"""`linarite deployment upgrades`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from linarite.cli.arm.answers import part
from linarite.cli.arm.naming import subscription_path
from linarite.cli.arm.printed import print_many

if TYPE_CHECKING:
    from linarite.cli.arm.flags import OutputFlags
    from linarite.cli.arm.server import Server


async def list_upgrades(server: Server, shown: OutputFlags) -> None:
    """Show which deployments move to another version, when and why. Changes nothing."""
    subscription = await subscription_path(server)
    print_many(
        await server.every(f"{subscription}/providers/Linarite.Hosting/upgrades"),
        _row,
        shown.output,
        none="No deployments yet. Make one: linarite deployment create NAME --model MODEL",
    )


def _row(upgrade: dict[str, Any]) -> dict[str, object]:
    said: dict[str, Any] = upgrade["properties"]
    failed = part(said, "lastUpgrade", "error").get("message", "")
    return {
        "name": upgrade["name"],
        "model": _named(part(said, "model")),
        "option": said["versionUpgradeOption"],
        "state": said["state"],
        "to": _named(part(said, "target")),
        "when": said.get("dueAt", ""),
        "retired": said.get("retiredAt", ""),
        "reason": f"last attempt failed: {failed}" if failed else said["reason"],
    }


def _named(model: dict[str, Any]) -> str:
    return f"{model['name']} {model['version']}" if model else ""
