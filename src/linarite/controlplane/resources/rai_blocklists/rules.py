"""Blocklists and their items."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta

from linarite.domain.arm_errors import Problem

if TYPE_CHECKING:
    from linarite.controlplane.request import Target
    from linarite.controlplane.surface import Surface
    from linarite.domain.resource import Resource

TYPE = "Microsoft.CognitiveServices/accounts/raiBlocklists"
ITEM_TYPE = f"{TYPE}/raiBlocklistItems"
NAME = r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,63}"
ITEMS_MAX = 10_000
PATTERN_CHARACTERS_MAX = 1000


class SentBlocklist(msgspec.Struct):
    """What may be set of a list."""

    description: str | None = None


class SentItem(msgspec.Struct, rename="camel"):
    """What may be set of an item."""

    pattern: Annotated[str, Meta(max_length=PATTERN_CHARACTERS_MAX)] | None = None
    is_regex: bool | None = None


class ItemFacts(msgspec.Struct, frozen=True):
    """What is known when an item is admitted."""

    others: int
    """how many other items the list has"""


async def gather_item(surface: Surface, target: Target) -> ItemFacts:
    """Count the list's other items."""
    blocklist = target.path.rpartition("/raiBlocklistItems/")[0]
    items = await surface.resources.list_under(blocklist, ITEM_TYPE)
    return ItemFacts(sum(each.id.lower() != target.path.lower() for each in items))


def admit_item(new: Resource, old: Resource | None, facts: ItemFacts) -> list[Problem]:
    """An item has a pattern that can be searched for, and the list has room for it."""
    del old
    found: list[Problem] = []
    pattern = new.properties.get("pattern")
    if not pattern:
        found.append(Problem("InvalidRequestContent", "pattern is missing.", "properties.pattern"))
    elif new.properties.get("isRegex") and (wrong := _wrong_regex(str(pattern))):
        found.append(Problem("InvalidRegex", wrong, "properties.pattern"))
    if facts.others >= ITEMS_MAX:
        found.append(
            Problem("BlocklistFull", f"A blocklist has at most {ITEMS_MAX:,} items.", status=400)
        )
    return found


def _wrong_regex(pattern: str) -> str:
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as problem:
        return f"The pattern is no regular expression: {problem}."
    return ""
