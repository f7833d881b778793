"""What resource groups need from the stores, and what deleting one does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.controlplane.resources.resource_groups.rules import GroupFacts
from linarite.domain.arm_errors import Problem
from linarite.domain.declared import is_declared, settled_by_settings
from linarite.domain.perimeter import ASSOCIATION_TYPE, reference
from linarite.domain.private_link import ENDPOINT_TYPE
from linarite.domain.resource import ACCOUNT_TYPE

if TYPE_CHECKING:
    from linarite.controlplane.request import Target
    from linarite.controlplane.surface import Surface
    from linarite.domain.resource import Resource


async def gather(surface: Surface, target: Target) -> GroupFacts:
    """The regions there are."""
    del target
    return GroupFacts(realm=surface.realm)


async def keep(surface: Surface, group: Resource) -> list[Problem]:
    """A group with an account or a network that settings declare stays.

    So does one with a perimeter around accounts of others: they would lose its rules unasked.
    """
    declared = [
        settled_by_settings(account, "account.resource_group")
        for account in await surface.resources.list_under(group.id, ACCOUNT_TYPE)
        if is_declared(account)
    ]
    networks = [
        settled_by_settings(group, f"{network.setting} subnet")
        for network in surface.networks.all
        if network.subnet_id.lower().startswith(f"{group.id}/".lower())
    ]
    return declared or networks or await _around_others(surface, group)


async def _around_others(surface: Surface, group: Resource) -> list[Problem]:
    return [
        Problem(
            "NspHasAssociations",
            f"The resource group '{group.name}' has a network security perimeter around "
            f"'{account}', which is in another group. Delete the association '{each.id}' first.",
            status=409,
        )
        for each in await surface.resources.list_under(group.id, ASSOCIATION_TYPE)
        if not (account := reference(each, "privateLinkResource"))
        .lower()
        .startswith(f"{group.id}/".lower())
    ]


async def remove(surface: Surface, group: Resource) -> None:
    """Delete it with all it holds; its accounts can be recovered once there is a group again.

    Its private endpoints go first, with their connections to accounts of other groups.
    """
    endpoints = surface.rows[ENDPOINT_TYPE.lower()]
    for endpoint in await surface.resources.list_under(group.id, ENDPOINT_TYPE):
        await endpoints.remove(surface, endpoint)
    accounts = surface.rows[ACCOUNT_TYPE.lower()]
    for account in await surface.resources.list_under(group.id, ACCOUNT_TYPE):
        await accounts.remove(surface, account)
    await surface.resources.delete(group.id)
