"""`linarite account list-models | list-usage | list-skus`: what an account may have, and has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.cli.arm.naming import account_id
from linarite.cli.arm.printed import print_many
from linarite.cli.model.deployable import model_row
from linarite.cli.usage.list import usage_row

if TYPE_CHECKING:
    from typing import Any

    from linarite.cli.account.flags import NamedFlags
    from linarite.cli.arm.flags import OutputFlags
    from linarite.cli.arm.server import Server


async def list_models(server: Server, asked: NamedFlags, shown: OutputFlags) -> None:
    """List the models that an account may deploy."""
    account = await account_id(server, asked.named, asked.resource_group)
    print_many(await server.every(f"{account}/models"), model_row, shown.output)


async def list_usage(server: Server, asked: NamedFlags, shown: OutputFlags) -> None:
    """List the quotas that an account's deployments draw from."""
    account = await account_id(server, asked.named, asked.resource_group)
    print_many(await server.every(f"{account}/usages"), usage_row, shown.output)


async def list_skus(server: Server, asked: NamedFlags, shown: OutputFlags) -> None:
    """List the SKUs that an account may have."""
    account = await account_id(server, asked.named, asked.resource_group)
    print_many(await server.every(f"{account}/skus"), _sku_row, shown.output)


def _sku_row(item: dict[str, Any]) -> dict[str, object]:
    return {"resource": item.get("resourceType", ""), "sku": item["sku"]["name"]}
