"""`linarite deployment calibrate`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from linarite.cli.arm.answers import part, parts
from linarite.cli.arm.calibrations import calibrations, key_of
from linarite.cli.arm.naming import account_id
from linarite.cli.arm.printed import print_one, say
from linarite.cli.arm.watching import finish

if TYPE_CHECKING:
    from linarite.cli.arm.flags import AccountFlags, OutputFlags
    from linarite.cli.arm.server import Server
    from linarite.cli.deployment.flags import DeploymentFlags


@dataclass(frozen=True, kw_only=True)
class Calibrate:
    """How thoroughly."""

    seconds: Annotated[
        float, typer.Option(help="About how long the model is kept busy.", min=1, max=600)
    ] = 30.0


async def calibrate(
    server: Server,
    named: DeploymentFlags,
    asked: Calibrate,
    within: AccountFlags,
    shown: OutputFlags,
) -> None:
    """Measure what a deployment's model does on this hardware, under load.

    Provisioned deployments of that model go by the result from then on.
    """
    account = await account_id(server, within.account, within.resource_group)
    path = f"{account}/deployments/{named.name}"
    reply = await server.send(
        "POST", f"{path}/providers/Linarite.Hosting/calibrate", body={"seconds": asked.seconds}
    )
    await finish(server, reply, f"calibrating {named.name}")
    deployment = await server.get(path)
    found = (await calibrations(server)).get(key_of(part(deployment, "properties", "model")))
    if found is None:
        say("It is calibrated. What was found is told to those who may read the subscription.")
        return
    print_one(found, facts, shown.output)


def facts(said: dict[str, Any]) -> dict[str, object]:
    """What was found."""
    model = part(said, "model")
    batches = ", ".join(
        f"{each['tokensPerSecond']:g} with {each['parallelRequests']}"
        for each in parts(said, "batches")
    )
    return {
        "model": f"{model['name']} {model['version']}",
        "engine": said["engine"],
        "hardware": said["hardware"],
        "prompt tokens/s": f"{said['promptTokensPerSecond']:g}",
        "completion tokens/s": f"{said['completionTokensPerSecond']:g}",
        "at a time": batches,
        "output weight": f"{said['outputWeight']:g}",
        "tokens/min per unit": said["tokensPerMinutePerUnit"],
        "units of an instance": said["units"],
        "calibrated at": said["calibratedAt"],
    }


def in_words(said: dict[str, Any]) -> str:
    """The same in a line."""
    return (
        f"{said['tokensPerMinutePerUnit']} tokens a minute per unit, a token of output counts "
        f"{said['outputWeight']:g}, an instance has {said['units']} units ({said['engine']} on "
        f"{said['hardware']})"
    )
