"""The rows of the table for deployments, at resource groups and at subscriptions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.controlplane.api_versions import RESOURCES
from linarite.controlplane.resource_type import Action
from linarite.controlplane.resources.template_deployments import actions
from linarite.controlplane.resources.template_deployments.place import DEPLOYMENT_TYPE

if TYPE_CHECKING:
    from collections.abc import Iterator

_BELOW = (
    ("PUT", "", "write", actions.put),
    ("GET", "", "read", actions.get),
    ("HEAD", "", "read", actions.head),
    ("DELETE", "", "delete", actions.delete),
    ("POST", "/validate", "validate/action", actions.validate),
    ("POST", "/whatIf", "whatIf/action", actions.what_would_change),
    ("POST", "/cancel", "cancel/action", actions.cancel),
    ("POST", "/exportTemplate", "exportTemplate/action", actions.export),
    ("GET", "/operations", "operations/read", actions.list_operations),
    ("GET", "/operations/{operation}", "operations/read", actions.get_operation),
    ("GET", "/operationStatuses/{operation}", "operationStatuses/read", actions.get_status),
)


def deployment_rows(*scopes: str) -> Iterator[Action]:
    """The rows for deployments at each of the scopes.

    Operations of deployments at resource groups lie under a path of their own, without provider.
    """
    for scope in scopes:
        collection = f"{scope}/providers/{DEPLOYMENT_TYPE}"
        item = f"{collection}/{{deployment}}"
        short = f"{scope}/deployments/{{deployment}}"
        rows = [("GET", collection, "read", actions.list_deployments)]
        rows += [(row[0], f"{item}{row[1]}", *row[2:]) for row in _BELOW]
        rows += [(row[0], f"{short}{row[1]}", *row[2:]) for row in _BELOW if "operations" in row[1]]
        for method, template, permission, act in rows:
            yield Action(
                method=method,
                template=template,
                versions=RESOURCES,
                type=DEPLOYMENT_TYPE,
                permission=f"{DEPLOYMENT_TYPE}/{permission}",
                act=act,
            )
