"""The rows of usage limits: the stored type, and what is used of one."""

from __future__ import annotations

from linarite.controlplane.api_versions import COGNITIVE_SERVICES
from linarite.controlplane.paths import USAGE_LIMIT, USAGE_LIMITS_GRANTED
from linarite.controlplane.resource_type import Action, ResourceType
from linarite.controlplane.resources.usage_limits import effects, properties, rules
from linarite.domain.usage_limits import USAGE_LIMIT_TYPE

LIMIT_TYPES: tuple[ResourceType, ...] = (
    ResourceType(
        type=USAGE_LIMIT_TYPE,
        granted_as=USAGE_LIMITS_GRANTED,
        template=USAGE_LIMIT,
        versions=COGNITIVE_SERVICES,
        name_pattern=properties.NAME,
        sent_properties=properties.SentUsageLimit,
        read_only=properties.READ_ONLY,
        gather=effects.gather,
        complete=rules.complete,
        admit=rules.admit,
        keep=effects.keep,
    ),
)
LIMIT_ACTIONS: tuple[Action, ...] = (
    Action(
        method="GET",
        template=f"{USAGE_LIMIT}/usage",
        versions=COGNITIVE_SERVICES,
        type=USAGE_LIMIT_TYPE,
        # Not `read`: whoever may use models reads by his role, and this tells who others are.
        permission=f"{USAGE_LIMITS_GRANTED}/usage/action",
        act=effects.list_usage,
    ),
)
