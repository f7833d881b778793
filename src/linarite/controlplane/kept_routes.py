"""The table's rows for what is kept and shown as on Azure, and does not act here yet."""

from __future__ import annotations

from linarite.controlplane.api_versions import COGNITIVE_SERVICES
from linarite.controlplane.paths import ACCOUNT, COGNITIVE, GROUP, PROJECT, WITHOUT_PATCH
from linarite.controlplane.resource_type import ResourceType
from linarite.controlplane.resources.agent_deployments import rules as agent_deployments
from linarite.controlplane.resources.applications import rules as applications
from linarite.controlplane.resources.capability_hosts import rules as capability_hosts
from linarite.controlplane.resources.commitment_plans import rules as commitment_plans
from linarite.controlplane.resources.connections import rules as connections
from linarite.controlplane.resources.cost_controls import rules as cost_controls
from linarite.controlplane.resources.defender_for_ai_settings import rules as defender_settings
from linarite.controlplane.resources.encryption_scopes import rules as encryption_scopes
from linarite.controlplane.resources.managed_networks import rules as managed_networks
from linarite.controlplane.resources.network_security_perimeter_configurations import (
    rules as perimeter_configurations,
)
from linarite.controlplane.resources.rai_bindings import rules as rai_bindings
from linarite.controlplane.resources.rai_external_safety_providers import (
    rules as safety_providers,
)
from linarite.controlplane.resources.rai_policies import of_subscription
from linarite.controlplane.resources.rai_policies import rules as rai_policies
from linarite.controlplane.resources.rai_policies import versions as policy_versions
from linarite.controlplane.resources.rai_regos import rules as rai_regos
from linarite.controlplane.resources.rai_tool_labels import rules as rai_tool_labels
from linarite.controlplane.resources.rai_topics import rules as rai_topics

PLANS = f"{GROUP}/providers/{commitment_plans.TYPE}"
SELLS_NOTHING = "kept; nothing is sold or billed here"
"""what is partial of commitments"""
UNFILTERED = "kept; no request is filtered by it yet"
"""what is partial of content policies, blocklists and the like"""
AGENTLESS = "kept; there are no agents here"
UNCLOSED = "kept; no connection is closed or opened by it"
APPLICATION = f"{PROJECT}/applications/{{application}}"
MANAGED_NETWORK = f"{ACCOUNT}/managedNetworks/{{network}}"
STATE = frozenset(("provisioningState",))

CONNECTIONS = tuple(
    ResourceType(
        type=kind,
        created=200,
        template=f"{parent}/connections/{{connection}}",
        versions=COGNITIVE_SERVICES,
        name_pattern=connections.NAME,
        sent_properties=connections.SentConnection,
        read_only=connections.READ_ONLY,
        hidden=frozenset((connections.SEALED,)),
        write_only=frozenset((connections.SENT_CREDENTIALS,)),
        secret=True,
        wanted=connections.wanted,
        gather=connections.gather,
        complete=connections.complete,
        admit=connections.admit,
        partial="kept, credentials sealed; nothing here connects with them yet",
    )
    for kind, parent in ((connections.OF_ACCOUNT, ACCOUNT), (connections.OF_PROJECT, PROJECT))
)
CAPABILITY_HOSTS = tuple(
    ResourceType(
        type=kind,
        deleted=204,
        template=f"{parent}/capabilityHosts/{{host}}",
        versions=COGNITIVE_SERVICES,
        verbs=WITHOUT_PATCH,
        name_pattern=capability_hosts.NAME,
        sent_properties=capability_hosts.SentHost,
        read_only=STATE,
        gather=capability_hosts.gather,
        complete=capability_hosts.complete,
        admit=capability_hosts.admit,
        partial="kept; there are no agents here to be hosted",
    )
    for kind, parent in (
        (capability_hosts.OF_ACCOUNT, ACCOUNT),
        (capability_hosts.OF_PROJECT, PROJECT),
    )
)
COMMITMENTS = (
    ResourceType(
        type=commitment_plans.OF_ACCOUNT,
        template=f"{ACCOUNT}/commitmentPlans/{{plan}}",
        versions=COGNITIVE_SERVICES,
        verbs=WITHOUT_PATCH,
        name_pattern=commitment_plans.NAME,
        sent_properties=commitment_plans.SentPlan,
        read_only=commitment_plans.READ_ONLY,
        gather=commitment_plans.gather,
        complete=commitment_plans.complete,
        admit=commitment_plans.admit,
        partial=SELLS_NOTHING,
    ),
    ResourceType(
        type=commitment_plans.TYPE,
        template=f"{PLANS}/{{plan}}",
        collections=(f"{COGNITIVE}/commitmentPlans",),
        versions=COGNITIVE_SERVICES,
        tracked=True,
        name_pattern=commitment_plans.NAME,
        sent_properties=commitment_plans.SentPlan,
        read_only=commitment_plans.READ_ONLY,
        gather=commitment_plans.gather,
        complete=commitment_plans.complete,
        admit=commitment_plans.admit,
        partial=SELLS_NOTHING,
    ),
    ResourceType(
        type=commitment_plans.ASSOCIATION,
        template=f"{PLANS}/{{plan}}/accountAssociations/{{association}}",
        versions=COGNITIVE_SERVICES,
        verbs=WITHOUT_PATCH,
        name_pattern=commitment_plans.NAME,
        sent_properties=commitment_plans.SentAssociation,
        gather=commitment_plans.gather_association,
        admit=commitment_plans.admit_association,
        partial=SELLS_NOTHING,
    ),
)

GUARDRAILS = (
    ResourceType(
        type=rai_topics.TYPE,
        deleted=204,
        template=f"{ACCOUNT}/raitopics/{{topic}}",
        versions=COGNITIVE_SERVICES,
        verbs=WITHOUT_PATCH,
        name_pattern=rai_topics.NAME,
        sent_properties=rai_topics.SentTopic,
        partial=UNFILTERED,
    ),
    ResourceType(
        type=rai_tool_labels.TYPE,
        deleted=204,
        template=f"{ACCOUNT}/raiToolLabels/{{label}}",
        versions=COGNITIVE_SERVICES,
        verbs=WITHOUT_PATCH,
        name_pattern=rai_tool_labels.NAME,
        sent_properties=rai_tool_labels.SentLabel,
        admit=rai_tool_labels.admit,
        partial=UNFILTERED,
    ),
    ResourceType(
        type=rai_regos.TYPE,
        template=f"{ACCOUNT}/raiRegos/{{rego}}",
        versions=COGNITIVE_SERVICES,
        verbs=WITHOUT_PATCH,
        name_pattern=rai_regos.NAME,
        sent_properties=rai_regos.SentRego,
        complete=rai_regos.complete,
        admit=rai_regos.admit,
        partial=UNFILTERED,
    ),
    ResourceType(
        type=rai_bindings.TYPE,
        template=f"{ACCOUNT}/raiBindings/{{binding}}",
        versions=COGNITIVE_SERVICES,
        verbs=WITHOUT_PATCH,
        name_pattern=rai_bindings.NAME,
        sent_properties=rai_bindings.SentBinding,
        gather=rai_bindings.gather,
        admit=rai_bindings.admit,
        partial=UNFILTERED,
    ),
    ResourceType(
        type=of_subscription.TYPE,
        deleted=204,
        template=f"{COGNITIVE}/raiPolicy/{{policy}}",
        versions=COGNITIVE_SERVICES,
        verbs=frozenset(("GET", "PUT", "DELETE")),
        name_pattern=rai_policies.NAME,
        sent_properties=rai_policies.SentPolicy,
        read_only=frozenset(("type",)),
        read=policy_versions.read,
        gather=of_subscription.gather,
        complete=rai_policies.complete,
        admit=rai_policies.admit,
        show=policy_versions.show,
        partial=UNFILTERED,
    ),
    ResourceType(
        type=safety_providers.TYPE,
        deleted=204,
        template=f"{COGNITIVE}/raiExternalSafetyProviders/{{provider}}",
        versions=COGNITIVE_SERVICES,
        verbs=WITHOUT_PATCH,
        name_pattern=safety_providers.NAME,
        sent_properties=safety_providers.SentProvider,
        read_only=safety_providers.READ_ONLY,
        show=safety_providers.show,
        partial=UNFILTERED,
    ),
)
AGENTS = (
    ResourceType(
        type=applications.TYPE,
        deleted=204,
        template=APPLICATION,
        versions=COGNITIVE_SERVICES,
        verbs=WITHOUT_PATCH,
        name_pattern=applications.NAME,
        sent_properties=applications.SentApplication,
        read_only=applications.READ_ONLY,
        wanted=applications.wanted,
        complete=applications.complete,
        partial=AGENTLESS,
    ),
    ResourceType(
        type=agent_deployments.TYPE,
        deleted=204,
        template=f"{APPLICATION}/agentDeployments/{{agent_deployment}}",
        versions=COGNITIVE_SERVICES,
        verbs=WITHOUT_PATCH,
        name_pattern=agent_deployments.NAME,
        sent_properties=agent_deployments.SentDeployment,
        read_only=agent_deployments.READ_ONLY,
        complete=agent_deployments.complete,
        admit=agent_deployments.admit,
        partial=AGENTLESS,
    ),
)
MANAGED_NETWORKS = (
    ResourceType(
        type=managed_networks.TYPE,
        created=200,
        deleted=204,
        template=MANAGED_NETWORK,
        versions=COGNITIVE_SERVICES,
        name_pattern=managed_networks.NAME,
        sent_properties=managed_networks.SentNetwork,
        read_only=STATE,
        complete=managed_networks.complete,
        admit=managed_networks.admit,
        partial=UNCLOSED,
    ),
    ResourceType(
        type=managed_networks.RULE_TYPE,
        created=200,
        deleted=204,
        template=f"{MANAGED_NETWORK}/outboundRules/{{rule}}",
        versions=COGNITIVE_SERVICES,
        verbs=WITHOUT_PATCH,
        name_pattern=managed_networks.NAME,
        sent_properties=managed_networks.SentRule,
        read_only=managed_networks.RULE_READ_ONLY,
        complete=managed_networks.complete_rule,
        admit=managed_networks.admit_rule,
        partial=UNCLOSED,
    ),
)

KEPT_TYPES: tuple[ResourceType, ...] = (
    *CONNECTIONS,
    *CAPABILITY_HOSTS,
    *COMMITMENTS,
    *GUARDRAILS,
    *AGENTS,
    *MANAGED_NETWORKS,
    ResourceType(
        type=encryption_scopes.TYPE,
        deleted=204,
        template=f"{ACCOUNT}/encryptionScopes/{{scope}}",
        versions=COGNITIVE_SERVICES,
        verbs=WITHOUT_PATCH,
        name_pattern=encryption_scopes.NAME,
        sent_properties=encryption_scopes.SentScope,
        read_only=STATE,
        complete=encryption_scopes.complete,
        admit=encryption_scopes.admit,
        partial="kept; nothing is sealed with its key",
    ),
    ResourceType(
        type=defender_settings.TYPE,
        template=f"{ACCOUNT}/defenderForAISettings/{{setting}}",
        versions=COGNITIVE_SERVICES,
        verbs=frozenset(("GET", "LIST", "PUT", "PATCH")),
        name_pattern=defender_settings.NAME,
        sent_properties=defender_settings.SentSetting,
        complete=defender_settings.complete,
        partial="kept; there is no Defender here",
    ),
    ResourceType(
        type=perimeter_configurations.TYPE,
        template=f"{ACCOUNT}/networkSecurityPerimeterConfigurations/{{configuration}}",
        versions=COGNITIVE_SERVICES,
        verbs=frozenset(("GET", "LIST")),
        derived=perimeter_configurations.derived,
    ),
    ResourceType(
        type=cost_controls.TYPE,
        template=f"{ACCOUNT}/costControls/{{control}}",
        versions=COGNITIVE_SERVICES,
        name_pattern=cost_controls.NAME,
        sent_properties=cost_controls.SentControl,
        admit=cost_controls.admit,
        partial="kept; usage limits act instead (docs/limits.md)",
    ),
)
