"""The rows of network security perimeters."""

from __future__ import annotations

from linarite.controlplane.api_versions import PERIMETERS as VERSIONS
from linarite.controlplane.paths import GROUP, NETWORK, NETWORK_NAME, SUBSCRIPTION, WITHOUT_PATCH
from linarite.controlplane.resource_type import Action, ResourceType, reading
from linarite.controlplane.resources.network_security_perimeters import rules as perimeters
from linarite.controlplane.resources.perimeter_access_rules import rules as access_rules
from linarite.controlplane.resources.perimeter_associations import rules as associations
from linarite.controlplane.resources.perimeter_profiles import rules as profiles
from linarite.domain.perimeter import (
    ACCESS_RULE_TYPE,
    ASSOCIATION_TYPE,
    PERIMETER_TYPE,
    PROFILE_TYPE,
)

PERIMETER = f"{GROUP}/{NETWORK}/networkSecurityPerimeters/{{perimeter}}"
PROFILE = f"{PERIMETER}/profiles/{{profile}}"
LOCATION = f"{SUBSCRIPTION}/{NETWORK}/locations/{{location}}"

PERIMETER_TYPES: tuple[ResourceType, ...] = (
    ResourceType(
        type=PERIMETER_TYPE,
        template=PERIMETER,
        collections=(f"{SUBSCRIPTION}/{NETWORK}/networkSecurityPerimeters",),
        versions=VERSIONS,
        tracked=True,
        name_pattern=NETWORK_NAME,
        read_only=perimeters.READ_ONLY,
        gather=perimeters.gather,
        complete=perimeters.complete,
        admit=perimeters.admit,
        keep=perimeters.keep,
    ),
    ResourceType(
        type=PROFILE_TYPE,
        template=PROFILE,
        versions=VERSIONS,
        verbs=WITHOUT_PATCH,
        name_pattern=NETWORK_NAME,
        read_only=profiles.READ_ONLY,
        complete=profiles.complete,
        keep=profiles.keep,
    ),
    ResourceType(
        type=ACCESS_RULE_TYPE,
        template=f"{PROFILE}/accessRules/{{rule}}",
        versions=VERSIONS,
        verbs=WITHOUT_PATCH,
        name_pattern=NETWORK_NAME,
        sent_properties=access_rules.SentRule,
        read_only=access_rules.READ_ONLY,
        gather=access_rules.gather,
        complete=access_rules.complete,
        admit=access_rules.admit,
        beside=access_rules.beside,
        remove=access_rules.remove,
        partial="address prefixes, subscriptions and domain names act; others are refused",
    ),
    ResourceType(
        type=ASSOCIATION_TYPE,
        template=f"{PERIMETER}/resourceAssociations/{{association}}",
        versions=VERSIONS,
        verbs=WITHOUT_PATCH,
        name_pattern=NETWORK_NAME,
        sent_properties=associations.SentAssociation,
        read_only=associations.READ_ONLY,
        gather=associations.gather,
        complete=associations.complete,
        admit=associations.admit,
        linked=associations.linked,
    ),
)

PERIMETER_ACTIONS: tuple[Action, ...] = (
    reading(
        f"{LOCATION}/perimeterAssociableResourceTypes",
        VERSIONS,
        "Microsoft.Network/locations/perimeterAssociableResourceTypes",
        perimeters.associable,
    ),
)
