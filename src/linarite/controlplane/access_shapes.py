"""What the resource types of Microsoft.Authorization share: GUIDs, conditions, permissions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

from linarite.controls.authorize.conditions.reading import ConditionUnfit, read_condition
from linarite.domain.arm_errors import Problem
from linarite.domain.scopes import MANAGEMENT_GROUPS, ROOT, scope_key, scope_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from linarite.controlplane.surface import Realm
    from linarite.domain.resource import Resource

GUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
"""what roles and assignments are named"""
CONDITION_VERSION = "2.0"
ACTION = re.compile(r"[\w.*-]+(?:/[\w.*-]+)*")
LISTS = ("actions", "notActions", "dataActions", "notDataActions")
PERMISSIONS_MAX = 50
ACTIONS_MAX = 1000


def is_guid(text: object) -> bool:
    """Whether it is a GUID."""
    return isinstance(text, str) and re.fullmatch(GUID, text) is not None


def shown_scope(resource: Resource) -> str:
    """The scope of an extension resource, as clients read it."""
    return scope_of(resource.id) or "/"


def condition_problems(properties: dict[str, Any], target: str) -> Iterator[Problem]:
    """A condition that can't be read, or of another version of the language."""
    text, version = properties.get("condition"), properties.get("conditionVersion")
    if not text:
        return
    if version != CONDITION_VERSION:
        yield Problem(
            "InvalidConditionVersion",
            f"The condition version '{version}' is not supported: write conditions in version "
            f"'{CONDITION_VERSION}' and say so in conditionVersion.",
            f"{target}.conditionVersion",
        )
        return
    try:
        read_condition(str(text))
    except ConditionUnfit as unfit:
        yield Problem("InvalidCondition", f"The condition is not valid. {unfit}", target)


def permission_problems(permissions: object, target: str) -> Iterator[Problem]:
    """What permissions have that can't be granted."""
    count = len(cast("list[object]", permissions)) if isinstance(permissions, list) else 0
    if not 0 < count <= PERMISSIONS_MAX:
        yield Problem(
            "InvalidPermissions", f"There must be 1 to {PERMISSIONS_MAX} permissions.", target
        )
        return
    listed = cast("list[dict[str, Any]]", permissions)
    for at, one in enumerate(listed):
        place = f"{target}[{at}]"
        if len([*_actions(one)]) > ACTIONS_MAX:
            yield Problem("InvalidPermissions", f"More than {ACTIONS_MAX} actions.", place)
        for word in _actions(one):
            if ACTION.fullmatch(word) is None:
                yield Problem(
                    "InvalidActionOrNotAction",
                    f"'{word[:200]}' does not match any of the actions supported by the providers: "
                    "an action is words with slashes between them, and `*` for any.",
                    place,
                )
        yield from condition_problems(one, place)


def _actions(permission: dict[str, Any]) -> Iterator[str]:
    for name in LISTS:
        yield from (str(word) for word in permission.get(name) or ())


def is_scope_here(scope: str, realm: Realm) -> bool:
    """Whether a scope is of this server: `/`, its management group, or in its subscription."""
    key = scope_key(scope)
    own = f"/subscriptions/{realm.subscription}".lower()
    group = f"{MANAGEMENT_GROUPS}{realm.tenant}".lower()
    return key in (ROOT, group, own) or key.startswith(f"{own}/")
