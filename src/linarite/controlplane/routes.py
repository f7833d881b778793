"""The table of the control plane: every stored resource type, a row each. See also `actions`."""

from __future__ import annotations

from linarite.controlplane.access_routes import AUTHORIZATION_TYPES
from linarite.controlplane.alert_routes import ALERT_TYPES
from linarite.controlplane.api_versions import COGNITIVE_SERVICES, MANAGED_IDENTITY, RESOURCES
from linarite.controlplane.content_routes import CONTENT_TYPES
from linarite.controlplane.diagnostic_routes import DIAGNOSTIC_TYPES
from linarite.controlplane.kept_routes import KEPT_TYPES, UNFILTERED
from linarite.controlplane.limit_routes import LIMIT_TYPES
from linarite.controlplane.metric_routes import COST_TYPES
from linarite.controlplane.network_routes import NETWORK_TYPES
from linarite.controlplane.paths import (
    ACCOUNT,
    APPLICATION_KEY,
    APPLICATION_KEYS_GRANTED,
    BLOCKLIST,
    COGNITIVE,
    GROUP,
    PROJECT,
    SUBSCRIPTION,
    WITHOUT_PATCH,
)
from linarite.controlplane.perimeter_routes import PERIMETER_TYPES
from linarite.controlplane.policy_routes import POLICY_TYPES
from linarite.controlplane.resource_type import ResourceType
from linarite.controlplane.resources.accounts import effects as account_effects
from linarite.controlplane.resources.accounts import properties as account_properties
from linarite.controlplane.resources.accounts import rules as account_rules
from linarite.controlplane.resources.accounts import view as account_view
from linarite.controlplane.resources.application_keys import effects as application_key_effects
from linarite.controlplane.resources.application_keys import (
    properties as application_key_properties,
)
from linarite.controlplane.resources.application_keys import rules as application_key_rules
from linarite.controlplane.resources.deleted_accounts import effects as deleted_accounts
from linarite.controlplane.resources.deployments import effects as deployment_effects
from linarite.controlplane.resources.deployments import properties as deployment_properties
from linarite.controlplane.resources.deployments import rules as deployment_rules
from linarite.controlplane.resources.deployments import view as deployment_view
from linarite.controlplane.resources.listed_models import rules as listed_models
from linarite.controlplane.resources.private_endpoint_connections import (
    rules as endpoint_connections,
)
from linarite.controlplane.resources.projects import rules as projects
from linarite.controlplane.resources.quota_tiers import rules as quota_tiers
from linarite.controlplane.resources.rai_blocklists import rules as rai_blocklists
from linarite.controlplane.resources.rai_policies import rules as rai_policies
from linarite.controlplane.resources.rai_policies import versions as policy_versions
from linarite.controlplane.resources.resource_groups import effects as group_effects
from linarite.controlplane.resources.resource_groups import rules as group_rules
from linarite.controlplane.resources.user_assigned_identities import rules as identities
from linarite.domain.application_key import APPLICATION_KEY_TYPE
from linarite.domain.arm_id import RESOURCE_GROUP_TYPE
from linarite.domain.directory import FEDERATED_TYPE, IDENTITY_TYPE
from linarite.domain.listed_model import LISTED_MODEL_TYPE, SentListedModel
from linarite.domain.resource import (
    ACCOUNT_TYPE,
    DELETED_ACCOUNT_TYPE,
    DELETED_FROM,
    DEPLOYMENT_TYPE,
)

IDENTITY = f"{GROUP}/providers/{IDENTITY_TYPE}/{{identity}}"

RESOURCE_TYPES: tuple[ResourceType, ...] = (
    ResourceType(
        type=IDENTITY_TYPE,
        template=IDENTITY,
        collections=(f"{SUBSCRIPTION}/providers/{IDENTITY_TYPE}",),
        versions=MANAGED_IDENTITY,
        tracked=True,
        name_pattern=identities.NAME,
        read_only=identities.SET_BY_SERVER,
        gather=identities.gather,
        complete=identities.complete,
        admit=identities.admit,
        show=identities.show,
    ),
    ResourceType(
        type=FEDERATED_TYPE,
        template=f"{IDENTITY}/federatedIdentityCredentials/{{credential}}",
        versions=MANAGED_IDENTITY,
        verbs=WITHOUT_PATCH,
        name_pattern=identities.CREDENTIAL_NAME,
        sent_properties=identities.SentCredential,
        gather=identities.gather_credential,
        admit=identities.admit_credential,
    ),
    ResourceType(
        type=RESOURCE_GROUP_TYPE,
        granted_as="Microsoft.Resources/subscriptions/resourceGroups",
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
        remove=group_effects.remove,
    ),
    ResourceType(
        type=ACCOUNT_TYPE,
        partial="userOwnedStorage is kept and does not act",
        template=ACCOUNT,
        collections=(f"{COGNITIVE}/accounts",),
        versions=COGNITIVE_SERVICES,
        tracked=True,
        name_pattern=account_rules.NAME,
        sent_properties=account_properties.SentAccount,
        read_only=account_properties.READ_ONLY,
        hidden=account_properties.HIDDEN,
        write_only=account_properties.WRITE_ONLY,
        gather=account_effects.gather,
        complete=account_rules.complete,
        admit=account_rules.admit,
        show=account_view.show,
        beside=account_effects.beside,
        written=account_effects.written,
        keep=account_effects.keep,
        remove=account_effects.remove,
    ),
    ResourceType(
        type=DEPLOYMENT_TYPE,
        partial="raiPolicyName and deploymentState are kept and do not act yet",
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
        job=deployment_rules.job,
        keep=deployment_effects.keep,
    ),
    ResourceType(
        type=rai_policies.TYPE,
        deleted=204,
        template=f"{ACCOUNT}/raiPolicies/{{policy}}",
        versions=COGNITIVE_SERVICES,
        verbs=WITHOUT_PATCH,
        name_pattern=rai_policies.NAME,
        sent_properties=rai_policies.SentPolicy,
        read_only=frozenset(("type",)),
        gather=rai_policies.gather,
        read=policy_versions.read,
        complete=rai_policies.complete,
        admit=rai_policies.admit,
        show=policy_versions.show,
        built_in=rai_policies.built_in,
        keep=rai_policies.keep,
        partial=UNFILTERED,
    ),
    ResourceType(
        type=rai_blocklists.TYPE,
        deleted=204,
        template=BLOCKLIST,
        versions=COGNITIVE_SERVICES,
        verbs=WITHOUT_PATCH,
        name_pattern=rai_blocklists.NAME,
        sent_properties=rai_blocklists.SentBlocklist,
        partial=UNFILTERED,
    ),
    ResourceType(
        type=rai_blocklists.ITEM_TYPE,
        deleted=204,
        template=f"{BLOCKLIST}/raiBlocklistItems/{{item}}",
        versions=COGNITIVE_SERVICES,
        verbs=WITHOUT_PATCH,
        name_pattern=rai_blocklists.NAME,
        sent_properties=rai_blocklists.SentItem,
        gather=rai_blocklists.gather_item,
        admit=rai_blocklists.admit_item,
        partial=UNFILTERED,
    ),
    ResourceType(
        type=projects.TYPE,
        template=PROJECT,
        versions=COGNITIVE_SERVICES,
        tracked=True,
        name_pattern=projects.NAME,
        sent_properties=projects.SentProject,
        read_only=frozenset(("endpoints", "isDefault", "provisioningState")),
        gather=projects.gather,
        complete=projects.complete,
        admit=projects.admit,
        show=projects.show,
        partial="kept; the endpoint answers nothing yet",
    ),
    ResourceType(
        type=endpoint_connections.TYPE,
        template=f"{ACCOUNT}/privateEndpointConnections/{{connection}}",
        versions=COGNITIVE_SERVICES,
        verbs=WITHOUT_PATCH,
        name_pattern=endpoint_connections.NAME,
        sent_properties=endpoint_connections.SentConnection,
        read_only=endpoint_connections.READ_ONLY,
        complete=endpoint_connections.complete,
        admit=endpoint_connections.admit,
    ),
    ResourceType(
        type=DELETED_ACCOUNT_TYPE,
        template=f"{COGNITIVE}/locations/{{location}}/resourceGroups/{{resource_group}}"
        "/deletedAccounts/{account}",
        collections=(f"{COGNITIVE}/deletedAccounts",),
        versions=COGNITIVE_SERVICES,
        verbs=frozenset(("GET", "LIST", "DELETE")),
        hidden=account_properties.HIDDEN | {DELETED_FROM},
        show=deleted_accounts.show,
        remove=deleted_accounts.purge,
    ),
    ResourceType(
        type=quota_tiers.TYPE,
        template=f"{COGNITIVE}/quotaTiers/{{tier}}",
        versions=COGNITIVE_SERVICES,
        verbs=frozenset(("GET", "LIST", "PUT", "PATCH")),
        name_pattern="default",
        sent_properties=quota_tiers.SentTier,
        read_only=frozenset(("currentTierName", "assignmentDate", "tierUpgradeEligibilityInfo")),
        built_in=quota_tiers.built_in,
        partial="kept; settings make the quotas, no tier is ever upgraded",
    ),
    *KEPT_TYPES,
    ResourceType(
        type=LISTED_MODEL_TYPE,
        template=f"{SUBSCRIPTION}/providers/Linarite.Hosting/models/{{model}}",
        versions=COGNITIVE_SERVICES,
        name_pattern=listed_models.NAME,
        sent_properties=SentListedModel,
        read_only=listed_models.READ_ONLY,
        hidden=listed_models.HIDDEN,
        gather=listed_models.gather,
        complete=listed_models.complete,
        admit=listed_models.admit,
        show=listed_models.show,
        job=listed_models.job,
        beside=listed_models.beside,
        remove=listed_models.remove,
        keep=listed_models.keep,
    ),
    ResourceType(
        type=APPLICATION_KEY_TYPE,
        granted_as=APPLICATION_KEYS_GRANTED,
        template=APPLICATION_KEY,
        versions=COGNITIVE_SERVICES,
        name_pattern=application_key_properties.NAME,
        sent_properties=application_key_properties.SentApplicationKey,
        read_only=application_key_properties.READ_ONLY,
        hidden=application_key_properties.HIDDEN,
        secret=True,
        gather=application_key_effects.gather,
        complete=application_key_rules.complete,
        admit=application_key_rules.admit,
        linked=application_key_rules.linked,
        show=application_key_rules.show,
        tell=application_key_effects.tell_key,
        remove=application_key_effects.remove,
    ),
    *LIMIT_TYPES,
    *NETWORK_TYPES,
    *PERIMETER_TYPES,
    *AUTHORIZATION_TYPES,
    *CONTENT_TYPES,
    *COST_TYPES,
    *DIAGNOSTIC_TYPES,
    *ALERT_TYPES,
    *POLICY_TYPES,
)
