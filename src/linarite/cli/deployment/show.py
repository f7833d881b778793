"""`linarite deployment show`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.cli.arm.answers import part
from linarite.cli.arm.calibrations import calibrations, key_of
from linarite.cli.arm.flags import Output
from linarite.cli.arm.naming import account_id
from linarite.cli.arm.printed import print_one
from linarite.cli.deployment.calibrate import in_words
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
    more: dict[str, object] = {}
    if shown.output is Output.TABLE:
        known = await calibrations(server)
        if found := known.get(key_of(part(deployment, "properties", "model"))):
            more = {"calibrated": in_words(found)}
    print_one(deployment, lambda each: facts(each) | more, shown.output)
