"""The table's rows for what is kept and shown as on Azure, and does not act here yet."""

from __future__ import annotations

from linarite.controlplane.api_versions import COGNITIVE_SERVICES
from linarite.controlplane.paths import ACCOUNT, COGNITIVE, GROUP, PROJECT, WITHOUT_PATCH
from linarite.controlplane.resource_type import ResourceType
from linarite.controlplane.resources.capability_hosts import rules as capability_hosts
from linarite.controlplane.resources.commitment_plans import rules as commitment_plans
from linarite.controlplane.resources.connections import rules as connections
from linarite.controlplane.resources.defender_for_ai_settings import rules as defender_settings
from linarite.controlplane.resources.encryption_scopes import rules as encryption_scopes
from linarite.controlplane.resources.network_security_perimeter_configurations import (
    rules as perimeter_configurations,
)
from linarite.controlplane.resources.rai_topics import rules as rai_topics

PLANS = f"{GROUP}/providers/{commitment_plans.TYPE}"
SELLS_NOTHING = "kept; nothing is sold or billed here"
"""what is partial of commitments"""
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

KEPT_TYPES: tuple[ResourceType, ...] = (
    *CONNECTIONS,
    *CAPABILITY_HOSTS,
    *COMMITMENTS,
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
        partial="no perimeter can be associated here: the list is empty",
    ),
    ResourceType(
        type=rai_topics.TYPE,
        deleted=204,
        template=f"{ACCOUNT}/raitopics/{{topic}}",
        versions=COGNITIVE_SERVICES,
        verbs=WITHOUT_PATCH,
        name_pattern=rai_topics.NAME,
        sent_properties=rai_topics.SentTopic,
        partial="kept; no request is filtered by it yet",
    ),
)
