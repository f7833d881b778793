"""Putting the account and the deployments that settings declare into the resource store.

They are kept as ARM-shaped resources, as the control plane keeps them. What settings declared
earlier and no longer do is removed, accounts included: with two accounts, a call that names none
would be refused. What others created is left alone.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from linarite.domain.arm_id import RESOURCE_GROUP_TYPE
from linarite.domain.declared import DECLARED_BY, is_declared
from linarite.domain.rate_limits import RATE_LIMITED
from linarite.domain.resource import ACCOUNT_TYPE, DEPLOYMENT_TYPE, Resource

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.domain.resource import ResourceStore
    from linarite.hosting.options import AccountSettings, DeploymentSettings


def account_id(account: AccountSettings) -> str:
    """The account's ARM resource id."""
    return (
        f"/subscriptions/{account.subscription}/resourceGroups/{account.resource_group}"
        f"/providers/{ACCOUNT_TYPE}/{account.name}"
    )


CAPACITY = 100
"""what a deployment takes of its quota pool for which settings say nothing"""


async def declare(
    store: ResourceStore, account: AccountSettings, deployments: Sequence[DeploymentSettings]
) -> str:
    """Make the store hold what settings declare; returns the account's id."""
    wanted_account = Resource(
        id=account_id(account),
        type=ACCOUNT_TYPE,
        name=account.name,
        kind="OpenAI",
        location=account.location,
        sku={"name": "S0"},
        properties={
            "provisioningState": "Succeeded",
            "customSubDomainName": account.name.lower(),
            "regionTitle": account.region_title,
        },
    )
    await put_declared(
        store,
        Resource(
            id=wanted_account.id.partition("/providers/")[0],
            type=RESOURCE_GROUP_TYPE,
            name=account.resource_group,
            location=account.location,
        ),
    )
    await put_declared(store, wanted_account)
    kept: set[str] = set()
    for deployment in deployments:
        resource = _deployment_resource(wanted_account.id, deployment)
        kept.add(resource.id.lower())
        await put_declared(store, resource)
    for present in await store.list_under("", DEPLOYMENT_TYPE):
        if is_declared(present) and present.id.lower() not in kept:
            await store.delete(present.id)
    for present in await store.list_under("", ACCOUNT_TYPE):
        if is_declared(present) and present.id.lower() != wanted_account.id.lower():
            await _delete_if_empty(store, present)
    return wanted_account.id


async def _delete_if_empty(store: ResourceStore, account: Resource) -> None:
    """Deleting an account deletes what is under it, which must not be somebody else's."""
    if not await store.list_under(account.id, DEPLOYMENT_TYPE):
        await store.delete(account.id)


def _deployment_resource(parent: str, deployment: DeploymentSettings) -> Resource:
    return Resource(
        id=f"{parent}/deployments/{deployment.name}",
        type=DEPLOYMENT_TYPE,
        name=deployment.name,
        sku={"name": deployment.sku, "capacity": deployment.capacity or CAPACITY},
        properties={
            "model": {
                "format": deployment.model_format,
                "name": deployment.model,
                "version": deployment.model_version,
            },
            "provisioningState": "Succeeded",
            "versionUpgradeOption": "NoAutoUpgrade",
            "instance": deployment.instance,
            RATE_LIMITED: deployment.capacity > 0,
            **_said(deployment),
        },
    )


def _said(deployment: DeploymentSettings) -> dict[str, str]:
    """What is the control plane's to say where settings say nothing."""
    said = {
        "serviceTier": deployment.service_tier.capitalize(),
        "spilloverDeploymentName": deployment.spillover,
    }
    return {name: value for name, value in said.items() if value}


async def put_declared(
    store: ResourceStore, wanted: Resource, *, keep_properties: bool = True
) -> None:
    """Write only what changed, so that etags and times tell of real changes.

    `keep_properties`: those that settings don't declare are the control plane's to change.
    """
    present = await store.get(wanted.id)
    now = datetime.now(UTC).isoformat()
    by: dict[str, Any] = {"lastModifiedBy": DECLARED_BY, "lastModifiedAt": now}
    if present is None:
        by |= {"createdBy": DECLARED_BY, "createdByType": "Application", "createdAt": now}
    else:
        kept = present.properties if keep_properties else {}
        wanted = msgspec.structs.replace(
            wanted,
            id=present.id,  # and the name keep the case in which they were first written
            name=present.name,
            tags=present.tags,
            identity=present.identity,
            properties=kept | wanted.properties,
            system_data=present.system_data,
            etag=present.etag,
        )
        if wanted == present:
            return
        by = present.system_data | by
    await store.put(msgspec.structs.replace(wanted, system_data=by))
