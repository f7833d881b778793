"""`linarite model list --deployable`: what a server's accounts can deploy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from linarite.cli.arm.answers import part, parts
from linarite.cli.arm.calibrations import Calibrations, calibrations, key_of
from linarite.cli.arm.naming import first_location, subscription_path
from linarite.cli.arm.printed import print_many

if TYPE_CHECKING:
    from linarite.cli.arm.flags import Output
    from linarite.cli.arm.server import Server

SHOWN_ABILITIES = ("chatCompletion", "completion", "embeddings")


async def list_deployable(server: Server, location: str | None, output: Output) -> None:
    """Ask for the models of a region, as `az cognitiveservices model list` does."""
    where = location or await first_location(server)
    subscription = await subscription_path(server)
    found = await server.every(
        f"{subscription}/providers/Microsoft.CognitiveServices/locations/{where}/models"
    )
    known: Calibrations = {}
    if output.value == "table":
        # Each stands there once for each kind of account; people want it once.
        found = list({_key(each["model"]): each["model"] for each in found}.values())
        known = await calibrations(server)

    def row(model: dict[str, Any]) -> dict[str, object]:
        worth = known.get(key_of(model), {}).get("tokensPerMinutePerUnit", "")
        return model_row(model) | {"tokens/min per unit": worth}

    print_many(
        found,
        row,
        output,
        none="This server has no models. Bring one in, on its machine: linarite model add NAME",
    )


def _key(model: dict[str, Any]) -> tuple[str, str, str]:
    return model["format"], model["name"], model["version"]


def model_row(model: dict[str, Any]) -> dict[str, object]:
    """A model's line in a table."""
    able = part(model, "capabilities")
    skus = [str(sku["name"]) for sku in parts(model, "skus")]
    return {
        "name": model["name"],
        "version": model["version"],
        "format": model["format"],
        "default": bool(model.get("isDefaultVersion")),
        "lifecycle": model.get("lifecycleStatus", ""),
        "uses": ", ".join(word for word in SHOWN_ABILITIES if able.get(word) == "true"),
        "capacity up to": model.get("maxCapacity", 0),
        "skus": ", ".join(skus),
    }
