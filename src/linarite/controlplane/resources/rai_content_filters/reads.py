"""The content filters that a policy may name.

List: Azure's answer, api-version 2025-09-01.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from linarite.controlplane.request import Answer
from linarite.controlplane.stocktaking import require_location
from linarite.domain.arm_errors import ArmError

if TYPE_CHECKING:
    from linarite.controlplane.request import ArmRequest, Target
    from linarite.controlplane.surface import Surface

TYPE = "Microsoft.CognitiveServices/locations/raiContentFilters"
FILTERS: tuple[tuple[str, bool, str], ...] = (
    ("Hate", True, "Prompt"),
    ("Hate", True, "Completion"),
    ("Sexual", True, "Prompt"),
    ("Sexual", True, "Completion"),
    ("Violence", True, "Prompt"),
    ("Violence", True, "Completion"),
    ("Selfharm", True, "Prompt"),
    ("Selfharm", True, "Completion"),
    ("Jailbreak", False, "Prompt"),
    ("Indirect Attack", False, "Prompt"),
    ("Protected Material Text", False, "Completion"),
    ("Protected Material Code", False, "Completion"),
    ("Profanity", False, "Prompt"),
    ("Profanity", False, "Completion"),
)
"""name, whether it knows several severities, what it looks at"""


async def list_filters(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """All of them."""
    del request
    location = require_location(surface, target)
    return Answer(200, {"value": [_shown(each, location, surface) for each in FILTERS]})


async def get_filter(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """The first of that name. Raises ArmError 404."""
    del request
    location = require_location(surface, target)
    wanted = target["filter"].lower()
    for each in FILTERS:
        if each[0].lower() == wanted:
            return Answer(200, _shown(each, location, surface))
    raise ArmError(
        404, "ResourceNotFound", f"There is no content filter '{target['filter'][:100]}'."
    )


def _shown(each: tuple[str, bool, str], location: str, surface: Surface) -> dict[str, Any]:
    name, levels, source = each
    return {
        "id": f"/subscriptions/{surface.realm.subscription}/providers/{TYPE}".replace(
            "/locations/", f"/locations/{location}/"
        )
        + f"/{name}",
        "name": name,
        "type": TYPE,
        "properties": {"name": name, "isMultiLevelFilter": levels, "source": source},
    }
