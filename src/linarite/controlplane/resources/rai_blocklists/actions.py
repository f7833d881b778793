"""Adding and deleting many items of a blocklist at once: all or none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import msgspec

from linarite.controlplane.problems import shape_problems
from linarite.controlplane.request import Answer
from linarite.controlplane.resources.rai_blocklists.rules import (
    ITEM_TYPE,
    TYPE,
    ItemFacts,
    SentItem,
    admit_item,
)
from linarite.controlplane.stocktaking import account_of
from linarite.controlplane.verbs.put import system_data
from linarite.controlplane.wire import read_json, shown
from linarite.domain.arm_errors import content_invalid, refusal, resource_not_found
from linarite.domain.resource import Delete, Put, Resource

if TYPE_CHECKING:
    from linarite.controlplane.request import ArmRequest, Target
    from linarite.controlplane.surface import Surface
    from linarite.domain.arm_errors import Problem


async def add_items(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """Put every item; the answer is the list itself."""
    sent = _objects(request.body)
    async with surface.turn:
        blocklist = await _blocklist(surface, target)
        present = await surface.resources.list_under(blocklist.id, ITEM_TYPE)
        by_id = {item.id.lower(): item for item in present}
        now = surface.now().isoformat()
        puts: list[Put] = []
        problems: list[Problem] = []
        for place, each in enumerate(sent):
            item = _item(blocklist, each)
            old = by_id.get(item.id.lower())
            problems += _problems(item, each, place, len(by_id) + len(puts))
            stamped = msgspec.structs.replace(
                item, system_data=system_data(old, request.caller, now)
            )
            puts.append(Put(stamped, expected_etag=old.etag if old else ""))
        if problems:
            raise refusal(problems)
        await surface.resources.commit(puts)
    return Answer(200, shown(blocklist, surface.rows[TYPE.lower()], surface.showing(request)))


async def delete_items(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """Delete the items of these names; names that are not there are passed over."""
    names = _names(request.body)
    async with surface.turn:
        blocklist = await _blocklist(surface, target)
        await surface.resources.commit(
            [Delete(f"{blocklist.id}/raiBlocklistItems/{name}") for name in names]
        )
    return Answer(204)


async def _blocklist(surface: Surface, target: Target) -> Resource:
    account = await account_of(surface, target)
    found = await surface.resources.get(f"{account.id}/raiBlocklists/{target['blocklist']}")
    if found is None:
        name = f"{target['account']}/{target['blocklist']}"
        raise resource_not_found(TYPE, name, target["resource_group"])
    return found


def _item(blocklist: Resource, sent: dict[str, Any]) -> Resource:
    name = str(sent.get("name") or "")
    return Resource(
        id=f"{blocklist.id}/raiBlocklistItems/{name}",
        type=ITEM_TYPE,
        name=name,
        properties=sent.get("properties") or {},
    )


def _problems(item: Resource, sent: dict[str, Any], place: int, others: int) -> list[Problem]:
    found = shape_problems(sent.get("properties") or {}, SentItem)
    found = found or admit_item(item, None, ItemFacts(others))
    return [
        msgspec.structs.replace(problem, target=f"[{place}].{problem.target}") for problem in found
    ]


def _read_list(body: bytes) -> list[Any]:
    sent = read_json(body)
    if not isinstance(sent, list):
        raise content_invalid("The request content was invalid: the body must be a JSON list.")
    return cast("list[Any]", sent)


def _objects(body: bytes) -> list[dict[str, Any]]:
    sent = _read_list(body)
    for place, each in enumerate(sent):
        named = isinstance(each, dict) and cast("dict[str, Any]", each).get("name")
        if not isinstance(named, str) or not named or "/" in named:
            raise content_invalid(f"Item {place} has no proper name.", target=f"[{place}].name")
        properties = cast("dict[str, Any]", each).get("properties")
        if not isinstance(properties, dict):
            raise content_invalid(
                f"Item {place} has no properties.", target=f"[{place}].properties"
            )
    return cast("list[dict[str, Any]]", sent)


def _names(body: bytes) -> list[str]:
    sent = _read_list(body)
    if not all(isinstance(each, str) and each and "/" not in each for each in sent):
        raise content_invalid("Each entry must be the name of an item.")
    return cast("list[str]", sent)
