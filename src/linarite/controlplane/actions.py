"""The table's second half: paths that are no stored resource, a row each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from linarite.controlplane.api_versions import (
    COGNITIVE_SERVICES,
    INSIGHTS,
    METADATA,
    OPERATIONS,
    RESOURCES,
    SUBSCRIPTIONS,
)
from linarite.controlplane.kept_routes import AGENTLESS, APPLICATION, UNFILTERED
from linarite.controlplane.paths import (
    ACCOUNT,
    APPLICATION_KEY,
    APPLICATION_KEYS_GRANTED,
    BLOCKLIST,
    COGNITIVE,
    GROUP,
    SUBSCRIPTION,
)
from linarite.controlplane.provider_actions import PROVIDER_ACTIONS
from linarite.controlplane.resource_type import Action, reading
from linarite.controlplane.resources.accounts import keys
from linarite.controlplane.resources.activity_log import reads as activity_log
from linarite.controlplane.resources.application_keys import effects as application_keys
from linarite.controlplane.resources.applications import actions as applications
from linarite.controlplane.resources.audit_events import reads as audit_events
from linarite.controlplane.resources.availability import actions as availability
from linarite.controlplane.resources.calibrations import actions as calibrations
from linarite.controlplane.resources.cloud_metadata import reads as cloud_metadata
from linarite.controlplane.resources.commitment_tiers import reads as commitment_tiers
from linarite.controlplane.resources.deployment_policies import actions as deployment_policies
from linarite.controlplane.resources.explanations import reach
from linarite.controlplane.resources.explanations import reads as explanations
from linarite.controlplane.resources.generic import reads as generic
from linarite.controlplane.resources.model_capacities import reads as capacities
from linarite.controlplane.resources.models import reads as models
from linarite.controlplane.resources.network_log import reads as network_log
from linarite.controlplane.resources.network_security_perimeter_configurations import (
    rules as perimeter_configurations,
)
from linarite.controlplane.resources.private_link_resources import reads as link_resources
from linarite.controlplane.resources.providers import reads as providers
from linarite.controlplane.resources.rai_blocklists import actions as blocklists
from linarite.controlplane.resources.rai_content_filters import reads as content_filters
from linarite.controlplane.resources.running_operations import reads as running_operations
from linarite.controlplane.resources.skus import reads as skus
from linarite.controlplane.resources.subscriptions import reads as subscriptions
from linarite.controlplane.resources.template_deployments.rows import deployment_rows
from linarite.controlplane.resources.upgrades import reads as upgrades
from linarite.controlplane.resources.usages import reads as usages
from linarite.controlplane.verbs import operation
from linarite.domain.application_key import APPLICATION_KEY_TYPE
from linarite.domain.audit import READS_AUDIT
from linarite.domain.calibration import CALIBRATION_TYPE

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from linarite.controlplane.request import Answer, ArmRequest, Target
    from linarite.controlplane.resource_type import Entry
    from linarite.controlplane.surface import Surface

    Act = Callable[[ArmRequest, Target, Surface], Awaitable[Answer]]

READS_NETWORK_LOG = "Microsoft.Insights/logs/NSPAccessLogs/read"
APPLICATIONS = "accounts/projects/applications"
LOCATION = f"{COGNITIVE}/locations/{{location}}"


def cognitive(method: str, template: str, kind: str, act: Act, *, partial: str = "") -> Action:
    """A row of the Cognitive Services provider; `kind` are the words of its resource type."""
    return _row(
        method, template, COGNITIVE_SERVICES, f"Microsoft.CognitiveServices/{kind}", act, partial
    )


def managed(
    method: str,
    template: str,
    versions: tuple[str, ...],
    kind: str,
    act: Act,
    entry: Entry = "permission",
) -> Action:
    """A row of the Resource Manager itself."""
    row = _row(method, template, versions, f"Microsoft.Resources/{kind}", act)
    below = f"Microsoft.Resources/subscriptions/{kind}"
    named = below if template.startswith(f"{SUBSCRIPTION}/") else row.type
    permission = row.permission.replace(row.type, named)
    return msgspec.structs.replace(row, permission=permission, entry=entry)


def _row(
    method: str, template: str, versions: tuple[str, ...], kind: str, act: Act, partial: str = ""
) -> Action:
    word = template.rpartition("/")[2]
    done = kind if kind.endswith(f"/{word}") else f"{kind}/{word}"
    return Action(
        method=method,
        template=template,
        versions=versions,
        type=kind,
        permission=f"{kind}/read" if method == "GET" else f"{done}/action",
        act=act,
        public=kind == "Microsoft.Resources/metadata",
        partial=partial,
    )


ACTIONS: tuple[Action, ...] = (
    managed("GET", "/metadata/endpoints", METADATA, "metadata", cloud_metadata.endpoints),
    managed("GET", "/tenants", SUBSCRIPTIONS, "tenants", subscriptions.list_tenants, "anyone"),
    managed(
        "GET",
        "/subscriptions",
        SUBSCRIPTIONS,
        "subscriptions",
        subscriptions.list_subscriptions,
        "anyone",
    ),
    managed(
        "GET", SUBSCRIPTION, SUBSCRIPTIONS, "subscriptions", subscriptions.get_subscription, "part"
    ),
    managed(
        "GET",
        f"{SUBSCRIPTION}/locations",
        SUBSCRIPTIONS,
        "locations",
        subscriptions.list_locations,
        "part",
    ),
    managed("GET", "/providers", RESOURCES, "providers", providers.list_providers, "anyone"),
    managed(
        "GET", "/providers/{namespace}", RESOURCES, "providers", providers.get_provider, "anyone"
    ),
    managed(
        "GET", f"{SUBSCRIPTION}/providers", RESOURCES, "providers", providers.list_providers, "part"
    ),
    managed(
        "GET",
        f"{SUBSCRIPTION}/providers/{{namespace}}",
        RESOURCES,
        "providers",
        providers.get_provider,
        "part",
    ),
    managed(
        "POST",
        f"{SUBSCRIPTION}/providers/{{namespace}}/register",
        RESOURCES,
        "providers",
        providers.get_provider,
        "part",
    ),
    managed(
        "GET", f"{SUBSCRIPTION}/resources", RESOURCES, "resources", generic.of_subscription, "part"
    ),
    managed("GET", f"{GROUP}/resources", RESOURCES, "resources", generic.of_group, "part"),
    msgspec.structs.replace(
        cognitive(
            "GET",
            "/providers/Microsoft.CognitiveServices/operations",
            "operations",
            providers.list_operations,
        ),
        entry="anyone",
    ),
    cognitive("POST", f"{ACCOUNT}/listKeys", "accounts", keys.list_keys),
    cognitive("POST", f"{ACCOUNT}/regenerateKey", "accounts", keys.regenerate_key),
    Action(
        method="POST",
        template=f"{APPLICATION_KEY}/regenerate",
        versions=COGNITIVE_SERVICES,
        type=APPLICATION_KEY_TYPE,
        permission=f"{APPLICATION_KEYS_GRANTED}/regenerate/action",
        act=application_keys.regenerate,
    ),
    cognitive("GET", f"{ACCOUNT}/models", "accounts/models", models.of_account),
    cognitive("GET", f"{ACCOUNT}/skus", "accounts/skus", skus.of_account),
    cognitive("GET", f"{ACCOUNT}/usages", "accounts/usages", usages.of_account),
    cognitive(
        "GET",
        f"{ACCOUNT}/deployments/{{deployment}}/skus",
        "accounts/deployments/skus",
        skus.of_deployment,
    ),
    cognitive(
        "GET",
        f"{ACCOUNT}/privateLinkResources",
        "accounts/privateLinkResources",
        link_resources.list_link_resources,
    ),
    cognitive(
        "POST",
        f"{BLOCKLIST}/addRaiBlocklistItems",
        "accounts/raiBlocklists",
        blocklists.add_items,
        partial=UNFILTERED,
    ),
    cognitive(
        "POST",
        f"{BLOCKLIST}/deleteRaiBlocklistItems",
        "accounts/raiBlocklists",
        blocklists.delete_items,
        partial=UNFILTERED,
    ),
    cognitive("GET", f"{COGNITIVE}/skus", "skus", skus.of_subscription),
    cognitive(
        "POST",
        f"{COGNITIVE}/checkDomainAvailability",
        "checkDomainAvailability",
        availability.check_domain,
    ),
    cognitive(
        "POST",
        f"{COGNITIVE}/calculateModelCapacity",
        "calculateModelCapacity",
        capacities.calculate,
    ),
    cognitive("GET", f"{COGNITIVE}/modelCapacities", "modelCapacities", capacities.of_subscription),
    msgspec.structs.replace(
        cognitive(
            "GET",
            f"{LOCATION}/operationStatuses/{{operation}}",
            "locations/operationStatuses",
            operation.status,
        ),
        entry="part",
    ),
    msgspec.structs.replace(
        cognitive(
            "GET",
            f"{LOCATION}/operationResults/{{operation}}",
            "locations/operationResults",
            operation.result,
        ),
        entry="part",
    ),
    cognitive("GET", f"{LOCATION}/models", "locations/models", models.of_location),
    cognitive("GET", f"{LOCATION}/usages", "locations/usages", usages.of_location),
    cognitive(
        "GET", f"{LOCATION}/modelCapacities", "locations/modelCapacities", capacities.of_location
    ),
    cognitive(
        "POST",
        f"{LOCATION}/checkSkuAvailability",
        "locations/checkSkuAvailability",
        availability.check_sku,
    ),
    cognitive(
        "POST",
        f"{ACCOUNT}/evaluateDeploymentPolicies",
        "accounts",
        deployment_policies.evaluate,
    ),
    *(
        cognitive(
            "POST",
            f"{APPLICATION}/{word}",
            "accounts/projects/applications",
            act,
            partial=AGENTLESS,
        )
        for word, act in (
            ("enable", applications.enable),
            ("disable", applications.disable),
            ("listAgents", applications.list_agents),
        )
    ),
    cognitive(
        "GET",
        f"{LOCATION}/commitmentTiers",
        "locations/commitmentTiers",
        commitment_tiers.list_tiers,
        partial="nothing is sold here: the list is empty",
    ),
    cognitive(
        "POST",
        f"{ACCOUNT}/networkSecurityPerimeterConfigurations/{{configuration}}/reconcile",
        "accounts/networkSecurityPerimeterConfigurations",
        perimeter_configurations.reconcile,
    ),
    cognitive(
        "GET",
        f"{LOCATION}/raiContentFilters",
        "locations/raiContentFilters",
        content_filters.list_filters,
        partial="listed; no request is filtered yet",
    ),
    cognitive(
        "GET",
        f"{LOCATION}/raiContentFilters/{{filter}}",
        "locations/raiContentFilters",
        content_filters.get_filter,
        partial="listed; no request is filtered yet",
    ),
    Action(
        method="GET",
        template="/subscriptions/{subscription}/providers/Microsoft.Insights/eventtypes"
        "/management/values",
        versions=INSIGHTS,
        type="Microsoft.Insights/eventtypes",
        permission="Microsoft.Insights/eventtypes/values/Read",
        act=activity_log.list_events,
    ),
    _row(
        "GET",
        f"{SUBSCRIPTION}/providers/{upgrades.TYPE}",
        COGNITIVE_SERVICES,
        upgrades.TYPE,
        upgrades.of_subscription,
    ),
    _row(
        "GET",
        f"{SUBSCRIPTION}/providers/{CALIBRATION_TYPE}",
        COGNITIVE_SERVICES,
        CALIBRATION_TYPE,
        calibrations.of_subscription,
    ),
    _row(
        "POST",
        f"{ACCOUNT}/deployments/{{deployment}}/providers/Linarite.Hosting/calibrate",
        COGNITIVE_SERVICES,
        CALIBRATION_TYPE,
        calibrations.start,
    ),
    reading(
        "/providers/Linarite.Operations/requests/{request}/explanation",
        OPERATIONS,
        "Linarite.Operations/requests",
        explanations.explain,
    ),
    _row(
        "GET",
        f"{ACCOUNT}/providers/{reach.TYPE}",
        OPERATIONS,
        reach.TYPE,
        reach.reachability,
    ),
    Action(
        method="GET",
        template=f"{SUBSCRIPTION}/providers/Linarite.Operations/auditEvents",
        versions=OPERATIONS,
        type="Linarite.Operations/auditEvents",
        permission=READS_AUDIT,
        act=audit_events.list_entries,
    ),
    Action(
        method="GET",
        template=f"{SUBSCRIPTION}/providers/Linarite.Operations/networkLog",
        versions=OPERATIONS,
        type="Linarite.Operations/networkLog",
        permission=READS_NETWORK_LOG,
        act=network_log.of_server,
    ),
    Action(
        method="GET",
        template=f"{ACCOUNT}/providers/Linarite.Operations/networkLog",
        versions=OPERATIONS,
        type="Linarite.Operations/networkLog",
        permission=READS_NETWORK_LOG,
        act=network_log.of_account,
    ),
    Action(
        method="GET",
        template=f"{SUBSCRIPTION}/providers/Linarite.Operations/auditAnchor",
        versions=OPERATIONS,
        type="Linarite.Operations/auditAnchor",
        permission=READS_AUDIT,
        act=audit_events.anchor,
    ),
    _row(
        "GET",
        f"{SUBSCRIPTION}/providers/{running_operations.TYPE}",
        COGNITIVE_SERVICES,
        running_operations.TYPE,
        running_operations.list_operations,
    ),
    *deployment_rows(SUBSCRIPTION, GROUP),
    *PROVIDER_ACTIONS,
)
