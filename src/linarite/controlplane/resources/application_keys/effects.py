"""What application keys need from the stores, and what making, renewing, deleting one does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from linarite.controlplane.authorizing import require_linked
from linarite.controlplane.request import Answer, Target
from linarite.controlplane.resources.application_keys.rules import KeyFacts, linked
from linarite.controlplane.role_catalogue import all_roles, role_path
from linarite.controlplane.verbs.get import existing, showing_one
from linarite.domain.application_key import APPLICATION_KEY_TYPE, KEY_ID
from linarite.domain.arm_id import parent_id, same_id

if TYPE_CHECKING:
    from linarite.controlplane.request import ArmRequest
    from linarite.controlplane.surface import Surface
    from linarite.domain.resource import Resource


async def gather(surface: Surface, target: Target) -> KeyFacts:
    """The roles, and how many keys the account has."""
    account = parent_id(target.path)
    there = await surface.resources.list_under(account, APPLICATION_KEY_TYPE)
    return KeyFacts(
        roles=await all_roles(surface),
        role_path=role_path(surface.realm),
        fresh_id=str(uuid4()),
        others=sum(not same_id(each.id, target.path) for each in there),
        now=surface.now(),
    )


async def tell_key(surface: Surface, stored: Resource) -> dict[str, Any]:
    """The key, where there was none yet: told now and never again.

    None was told where the server was killed between writing the resource and making its key.
    """
    made = await surface.keys.applications.digests(parent_id(stored.id))
    if stored.properties[KEY_ID] in made.values():
        return {}
    return await _made(surface, stored)


async def regenerate(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """A new key. The old one opens nothing any more when the answer comes."""
    row = surface.rows[APPLICATION_KEY_TYPE.lower()]
    place = Target(target.path.rpartition("/")[0], target.names)
    async with surface.turn:
        key = await existing(place, row, surface, "write")
        done = (f"{row.grants}/regenerate/action", place.path)
        require_linked(surface, request.caller, done, linked(key, None))
        told = await _made(surface, key)
    answer = showing_one(200, key, row, surface, request)
    answer.body["properties"] |= told
    return answer


async def remove(surface: Surface, key: Resource) -> None:
    """Delete it. The data path reads the account anew before the answer comes."""
    await surface.resources.delete(key.id)
    await surface.keys.applications.drop(parent_id(key.id), key.properties[KEY_ID])


async def _made(surface: Surface, key: Resource) -> dict[str, Any]:
    account = parent_id(key.id)
    secret = await surface.keys.applications.make(account, key.properties[KEY_ID])
    await surface.keys_changed(account)
    return {"key": secret}
