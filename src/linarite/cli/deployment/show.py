"""`linarite deployment show`."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from linarite.cli.arm.naming import account_id
from linarite.cli.arm.printed import print_one
from linarite.cli.arm.refusals import ServerRefused
from linarite.cli.deployment.calibrate import calibration_of, in_words
from linarite.cli.deployment.columns import facts

if TYPE_CHECKING:
    from linarite.cli.arm.flags import AccountFlags, OutputFlags
    from linarite.cli.arm.server import Server
    from linarite.cli.deployment.flags import DeploymentFlags


async def show(
    server: Server, asked: DeploymentFlags, named: AccountFlags, shown: OutputFlags
) -> None:
    """Tell everything about one deployment."""
    account = await account_id(server, named.account, named.resource_group)
    deployment = await server.get(f"{account}/deployments/{asked.name}")
    calibration: dict[str, Any] = {}
    with suppress(ServerRefused):  # whoever may read deployments need not see the machine
        calibration = await calibration_of(server, deployment)

    def with_calibration(told: dict[str, Any]) -> dict[str, object]:
        return facts(told) | ({"calibrated": in_words(calibration)} if calibration else {})

    print_one(deployment, with_calibration, shown.output)
