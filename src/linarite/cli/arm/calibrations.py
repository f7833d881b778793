"""What a server has found out about models on its hardware."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from linarite.cli.arm.answers import part
from linarite.cli.arm.naming import subscription_path
from linarite.cli.arm.refusals import ServerRefused

if TYPE_CHECKING:
    from linarite.cli.arm.server import Server

Calibrations = dict[tuple[str, str], dict[str, Any]]
"""the properties of each model's newest calibration, by its lower-cased name and its version"""


async def calibrations(server: Server) -> Calibrations:
    """All of them; none for those who may not read them."""
    path = f"{await subscription_path(server)}/providers/Linarite.Hosting/calibrations"
    try:
        every = [part(each, "properties") for each in await server.every(path)]
    except ServerRefused:
        return {}
    every.sort(key=lambda each: str(each["calibratedAt"]))
    return {key_of(part(each, "model")): each for each in every}


def key_of(model: dict[str, Any]) -> tuple[str, str]:
    """A model as they are found by."""
    return str(model.get("name")).lower(), str(model.get("version"))
