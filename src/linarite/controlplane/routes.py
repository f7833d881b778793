"""The table of the control plane: every resource type and every action, a row each."""

from __future__ import annotations

from linarite.controlplane.api_versions import COGNITIVE_SERVICES, RESOURCES
from linarite.controlplane.resource_type import Action, ResourceType
from linarite.controlplane.resources.accounts import effects as account_effects
from linarite.controlplane.resources.accounts import keys as account_keys
from linarite.controlplane.resources.accounts import properties as account_properties
from linarite.controlplane.resources.accounts import rules as account_rules
from linarite.controlplane.resources.accounts import view as account_view
from linarite.controlplane.resources.deployments import effects as deployment_effects
from linarite.controlplane.resources.deployments import properties as deployment_properties
from linarite.controlplane.resources.deployments import rules as deployment_rules
from linarite.controlplane.resources.deployments import view as deployment_view
from linarite.controlplane.resources.resource_groups import effects as group_effects
from linarite.controlplane.resources.resource_groups import rules as group_rules
from linarite.controlplane.resources.template_deployments.rows import deployment_rows
from linarite.domain.arm_id import RESOURCE_GROUP_TYPE
from linarite.domain.resource import ACCOUNT_TYPE, DEPLOYMENT_TYPE

SUBSCRIPTION = "/subscriptions/{subscription}"
GROUP = f"{SUBSCRIPTION}/resourceGroups/{{resource_group}}"
COGNITIVE = f"{SUBSCRIPTION}/providers/Microsoft.CognitiveServices"
ACCOUNTS = f"{GROUP}/providers/{ACCOUNT_TYPE}"
ACCOUNT = f"{ACCOUNTS}/{{account}}"

RESOURCE_TYPES: tuple[ResourceType, ...] = (
    ResourceType(
        type=RESOURCE_GROUP_TYPE,
        template=GROUP,
        versions=RESOURCES,
        verbs=frozenset(("GET", "HEAD", "LIST", "PUT", "PATCH", "DELETE")),
        tracked=True,
        plain=True,
        name_pattern=group_rules.NAME,
        read_only=frozenset(("provisioningState",)),
        gather=group_effects.gather,
        admit=group_rules.admit,
        show=group_rules.show,
        keep=group_effects.keep,
    ),
    ResourceType(
        type=ACCOUNT_TYPE,
        template=ACCOUNT,
        collections=(f"{COGNITIVE}/accounts",),
        versions=COGNITIVE_SERVICES,
        tracked=True,
        name_pattern=account_rules.NAME,
        sent_properties=account_properties.SentAccount,
        read_only=account_properties.READ_ONLY,
        hidden=account_properties.HIDDEN,
        gather=account_effects.gather,
        complete=account_rules.complete,
        admit=account_rules.admit,
        show=account_view.show,
        written=account_effects.written,
        keep=account_effects.keep,
    ),
    ResourceType(
        type=DEPLOYMENT_TYPE,
        template=f"{ACCOUNT}/deployments/{{deployment}}",
        versions=COGNITIVE_SERVICES,
        name_pattern=deployment_rules.NAME,
        sent_properties=deployment_properties.SentDeployment,
        read_only=deployment_properties.READ_ONLY,
        hidden=deployment_properties.HIDDEN,
        gather=deployment_effects.gather,
        complete=deployment_rules.complete,
        admit=deployment_rules.admit,
        show=deployment_view.show,
        keep=deployment_effects.keep,
    ),
)

ACTIONS: tuple[Action, ...] = (
    Action(
        method="POST",
        template=f"{ACCOUNT}/listKeys",
        versions=COGNITIVE_SERVICES,
        type=ACCOUNT_TYPE,
        permission=f"{ACCOUNT_TYPE}/listKeys/action",
        act=account_keys.list_keys,
    ),
    Action(
        method="POST",
        template=f"{ACCOUNT}/regenerateKey",
        versions=COGNITIVE_SERVICES,
        type=ACCOUNT_TYPE,
        permission=f"{ACCOUNT_TYPE}/regenerateKey/action",
        act=account_keys.regenerate_key,
    ),
    *deployment_rows(SUBSCRIPTION, GROUP),
)
