"""What every ContentStore does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from linarite.domain.content_log import ContentPage, SealedContent

if TYPE_CHECKING:
    from linarite.domain.content_log import ContentStore

pytestmark = pytest.mark.anyio

MINE = "/subscriptions/S/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/Mine"
OTHER = MINE.replace("Mine", "Other")


def one(request_id: str, **fields: Any) -> SealedContent:  # noqa: ANN401 - fields
    """Content of mine."""
    whole = {
        "account_id": MINE.lower(),
        "request_id": request_id,
        "at": 100,
        "expires_at": 200,
        "deployment": "Chat",
        "operation": "ChatCompletions_Create",
        "status": 200,
        "sealed": "AAAA",
    }
    return SealedContent(**(whole | fields))


async def ids(store: ContentStore, account: str = MINE, **page: Any) -> list[str]:  # noqa: ANN401 - a page
    """What a part of the list holds."""
    found = await store.list(account, ContentPage(limit=page.pop("limit", 100), **page))
    return [each.request_id for each in found]


async def test_it_is_found_by_account_and_id(contents: ContentStore) -> None:
    """Whatever the case of the account's id; in lists without what is sealed."""
    await contents.add([one("a"), one("b")])
    assert await contents.find(MINE.upper(), "a") == one("a")
    assert await contents.find(OTHER, "a") is None
    assert await contents.find(MINE, "A") is None
    listed = await contents.list(MINE, ContentPage(limit=1))
    assert listed == [one("b", sealed="")]
    assert await contents.accounts() == {MINE.lower()}


async def test_what_is_there_stays_as_it_is(contents: ContentStore) -> None:
    """A record that comes twice is the same."""
    await contents.add([one("a")])
    await contents.add([one("a", sealed="BBBB"), one("b")])
    await contents.add([])
    found = await contents.find(MINE, "a")
    assert found is not None
    assert found.sealed == "AAAA"
    assert await ids(contents) == ["b", "a"]


async def test_lists_are_narrowed(contents: ContentStore) -> None:
    """By position, deployment and age."""
    await contents.add([one("a"), one("b", deployment="other"), one("c", expires_at=150)])
    assert await ids(contents, before="c") == ["b", "a"]
    assert await ids(contents, deployment="CHAT") == ["c", "a"]
    assert await ids(contents, alive_at=150) == ["b", "a"]
    assert await ids(contents, limit=2) == ["c", "b"]
    assert await ids(contents, OTHER) == []


async def test_what_is_over_goes(contents: ContentStore) -> None:
    """By its own time, or by being older than its account wants; of one account alone."""
    await contents.add([one("a", expires_at=10), one("b", at=5), one("c"), one("d", at=1)])
    await contents.add([one("e", account_id=OTHER.lower(), expires_at=1)])
    assert await contents.remove(MINE, expired_at=10) == 1
    assert await contents.remove(MINE, expired_at=10, before=5) == 1
    assert await ids(contents) == ["c", "b"]
    assert await contents.remove(MINE.upper(), expired_at=2**62) == 2
    assert await contents.accounts() == {OTHER.lower()}


async def test_the_oldest_make_room(contents: ContentStore) -> None:
    """Of all accounts, until the rest fits."""
    await contents.add([one("a", at=3), one("b", at=1), one("c", at=2, account_id=OTHER.lower())])
    assert await contents.remove_beyond(12) == {}
    assert await contents.remove_beyond(7) == {MINE.lower(): 1, OTHER.lower(): 1}
    assert await ids(contents) == ["a"]
