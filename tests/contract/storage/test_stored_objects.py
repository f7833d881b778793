"""What every StoredObjects does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from linarite.domain.stored_object import EXPIRED, Page, StoredObject

if TYPE_CHECKING:
    from linarite.domain.stored_object import StoredObjects

pytestmark = pytest.mark.anyio

MINE = "/subscriptions/S/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/Mine"
OTHER = MINE.replace("Mine", "Other")


def made(name: str, **fields: Any) -> StoredObject:  # noqa: ANN401 - fields
    """A file of mine."""
    whole = {"account_id": MINE, "kind": "file", "id": name, "created_at": 1} | fields
    return StoredObject(**whole)


async def ids(store: StoredObjects, account: str = MINE, **page: Any) -> list[str]:  # noqa: ANN401 - a page
    """What a part of the list holds."""
    found = await store.list(account, "file", Page(limit=page.pop("limit", 100), **page))
    return [each.id for each in found]


async def test_an_object_is_found_by_account_kind_and_id(stored_objects: StoredObjects) -> None:
    """Whatever the case of the account's id; never by its own id alone."""
    one = made("a", body={"x": [1]}, owner="me", label="batch", blob="b1", expires_at=9)
    await stored_objects.add(one)
    assert await stored_objects.get(MINE.upper(), "file", "a") == one
    assert await stored_objects.get(OTHER, "file", "a") is None
    assert await stored_objects.get(MINE, "upload", "a") is None
    assert await stored_objects.get(MINE, "file", "A") is None


async def test_several_are_found_by_their_ids(stored_objects: StoredObjects) -> None:
    """In the order in which they are named, as many as there are; nobody else's."""
    names = [f"f{number:04}" for number in range(1200)]
    await stored_objects.write(added=[made(name) for name in names])
    await stored_objects.add(made("theirs", account_id=OTHER))
    wanted = [*reversed(names), "absent", "theirs"]
    found = await stored_objects.those(MINE.upper(), "file", wanted)
    assert [each.id for each in found] == wanted[:-2]
    assert await stored_objects.those(MINE, "upload", wanted) == []
    assert await stored_objects.those(MINE, "file", []) == []


async def test_another_accounts_object_is_not_removed(stored_objects: StoredObjects) -> None:
    """The answer is that of an absent one."""
    await stored_objects.add(made("a"))
    assert await stored_objects.remove(OTHER, "file", "a") is False
    assert await stored_objects.remove(MINE, "file", "a") is True
    assert await stored_objects.remove(MINE, "file", "a") is False


async def test_lists_are_narrowed_and_ordered(stored_objects: StoredObjects) -> None:
    """By label and owner, newest first or oldest first."""
    for number in range(6):
        label, owner = ("batch", "ada") if number % 2 else ("evals", "bob")
        await stored_objects.add(made(f"f{number}", label=label, owner=owner))
    await stored_objects.add(made("f9", account_id=OTHER))
    assert await ids(stored_objects) == ["f5", "f4", "f3", "f2", "f1", "f0"]
    assert await ids(stored_objects, ascending=True, limit=2) == ["f0", "f1"]
    assert await ids(stored_objects, label="batch") == ["f5", "f3", "f1"]
    assert await ids(stored_objects, owner="bob", after="f4") == ["f2", "f0"]
    assert await ids(stored_objects, ascending=True, after="f4") == ["f5"]
    assert await ids(stored_objects, OTHER) == ["f9"]


async def test_what_has_expired_takes_no_place_in_a_part(stored_objects: StoredObjects) -> None:
    """So that whoever follows a list sees that there is more."""
    for number in range(6):
        await stored_objects.add(made(f"f{number}", expires_at=number * 10))
    assert await ids(stored_objects, limit=2, alive_at=30, ascending=True) == ["f0", "f4"]
    assert await ids(stored_objects, limit=3, alive_at=30) == ["f5", "f4", "f0"]


async def test_parts_follow_one_another_while_others_write(stored_objects: StoredObjects) -> None:
    """What stays is seen exactly once, though the last one seen has gone meanwhile."""
    for number in range(100, 120):
        await stored_objects.add(made(f"f{number}"))
    seen: list[str] = []
    after = ""
    new = 200
    while part := await ids(stored_objects, limit=4, after=after):
        seen += part
        after = part[-1]
        await stored_objects.remove(MINE, "file", after)
        await stored_objects.add(made(f"f{new}"))
        new += 1
    assert seen == [f"f{number}" for number in range(119, 99, -1)]


async def test_what_is_counted(stored_objects: StoredObjects) -> None:
    """Of a label, apart by whether it expires."""
    await stored_objects.add(made("a", label="batch"))
    await stored_objects.add(made("b", label="batch", expires_at=5))
    await stored_objects.add(made("c", label="evals"))
    assert await stored_objects.count(MINE, "file", "batch", lasting=True) == 1
    assert await stored_objects.count(MINE, "file", "batch", lasting=False) == 1
    assert await stored_objects.count(OTHER, "file", "batch", lasting=True) == 0


async def test_what_is_over_and_whose_it_is(stored_objects: StoredObjects) -> None:
    """What upkeep asks."""
    await stored_objects.add(made("a", expires_at=5, blob="one"))
    await stored_objects.add(made("b", expires_at=6, account_id=OTHER, blob="two"))
    await stored_objects.add(made("c"))
    assert [each.id for each in await stored_objects.expired(5, 10)] == ["a"]
    assert await stored_objects.accounts() == {MINE.lower(), OTHER.lower()}
    assert await stored_objects.blobs() == {"one", "two"}
    assert [each.id for each in await stored_objects.of_account(OTHER, 10)] == ["b"]


async def test_sizes_are_of_what_is_asked_for(stored_objects: StoredObjects) -> None:
    """By ids or by label, never of another account's; many are counted, and removed, together."""
    many = [made(f"{number:04}", label="one", body={"x": "y" * 1000}) for number in range(1200)]
    other = made("a", account_id=OTHER, label="one", body={"x": "y" * 1000})
    await stored_objects.write(added=[*many, other])
    ids_of_many = [each.id for each in many]
    size = await stored_objects.size_of(MINE, "file", object_ids=ids_of_many)
    assert 1_200_000 < size < 2_400_000
    assert await stored_objects.size_of(MINE, "file", label="one") == size
    assert await stored_objects.size_of(MINE, "file", object_ids=["a"]) == 0
    assert await stored_objects.write(removed=[*many, other])
    assert await stored_objects.size_of(MINE, "file", label="one") == 0
    assert await stored_objects.accounts() == set()


async def test_a_part_may_end_by_its_bytes(stored_objects: StoredObjects) -> None:
    """With what goes beyond, so that there is always one, and the next part follows it."""
    await stored_objects.write(added=[made(name, body={"x": "y" * 5000}) for name in "abcde"])
    assert await ids(stored_objects, bytes_max=1) == ["e"]
    assert await ids(stored_objects, bytes_max=8000) == ["e", "d"]
    assert await ids(stored_objects, bytes_max=1, after="e", ascending=False) == ["d"]
    assert await ids(stored_objects, bytes_max=1_000_000, limit=3) == ["e", "d", "c"]


async def test_what_is_needed_stays_as_it_is(stored_objects: StoredObjects) -> None:
    """Also where whoever needs it knows an older state of it."""
    await stored_objects.add(made("a", label="new"))
    assert await stored_objects.write(added=[made("b")], needed=[made("a", label="old")])
    assert await stored_objects.get(MINE, "file", "a") == made("a", label="new")
    assert await ids(stored_objects) == ["b", "a"]


async def test_several_are_written_at_once(stored_objects: StoredObjects) -> None:
    """Added, replaced and removed together."""
    await stored_objects.write(added=[made("a"), made("b")])
    changed = made("a", label="new", expires_at=7, body={"n": 2})
    assert await stored_objects.write(
        added=[made("c", kind="upload")], replaced=[changed], removed=[made("b")]
    )
    assert await stored_objects.get(MINE, "file", "a") == changed
    assert await ids(stored_objects, label="new") == ["a"]
    assert await stored_objects.get(MINE, "upload", "c") is not None


@pytest.mark.parametrize("change", ["replaced", "removed", "needed"])
@pytest.mark.parametrize("gone", [made("x"), made("a", account_id=OTHER)])
async def test_what_is_gone_lets_nothing_be_written(
    stored_objects: StoredObjects, change: str, gone: StoredObject
) -> None:
    """Neither what was to be added nor what else was to be changed."""
    await stored_objects.write(added=[made("a"), made("b")])
    changes = {"replaced": [made("a", label="new")], "removed": [made("b")]}
    changes[change] = [*changes.get(change, []), gone]
    assert await stored_objects.write(added=[made("c")], **changes) is False
    assert await ids(stored_objects) == ["b", "a"]
    assert await ids(stored_objects, label="new") == []


async def test_what_is_over_ends_at_once(stored_objects: StoredObjects) -> None:
    """Those that are gone already too; of other accounts nothing."""
    await stored_objects.write(added=[made("a"), made("b"), made("a", account_id=OTHER)])
    await stored_objects.end([made("a"), made("gone")], EXPIRED)
    assert await ids(stored_objects) == ["b"]
    assert await ids(stored_objects, OTHER) == ["a"]


async def test_what_is_held_of_an_account(stored_objects: StoredObjects) -> None:
    """Of each kind how many, since when, until when, and the bytes of blobs with it."""
    await stored_objects.write(
        added=[
            made("a", created_at=10, expires_at=100, blob="x", blob_bytes=1_000_000),
            made("b", created_at=20, expires_at=300, body={"text": "x" * 1000}),
            made("c", created_at=30),
            made("d", kind="upload", created_at=40),
            made("e", account_id=OTHER, created_at=50),
        ]
    )
    files, uploads = await stored_objects.held(MINE.upper())
    assert (files.kind, files.count, files.oldest, files.newest) == ("file", 3, 10, 30)
    assert (files.ends_first, files.ends_last, files.endless) == (100, 300, 1)
    assert 1_001_000 < files.bytes < 1_010_000
    assert (uploads.kind, uploads.count, uploads.endless) == ("upload", 1, 1)
    assert (uploads.ends_first, uploads.ends_last) == (0, 0)
    sizes = {"file": files.bytes, "upload": uploads.bytes}
    assert await stored_objects.sizes(MINE.upper()) == sizes
    assert await stored_objects.held(f"{MINE}/none") == []


async def test_sizes_follow_every_write(stored_objects: StoredObjects) -> None:
    """What is added, replaced, removed and ended, done or not; of each account by itself."""
    assert await stored_objects.sizes(MINE) == {}
    assert stored_objects.all_sizes() == {}
    a, b = made("a", blob="x", blob_bytes=1000), made("b", body={"text": "ü" * 50})
    await stored_objects.add(a)
    one = dict(await stored_objects.sizes(MINE))
    await stored_objects.write(added=[b, made("c", account_id=OTHER)])
    both = await stored_objects.sizes(MINE.upper())
    assert both["file"] == sum(each.bytes for each in await stored_objects.held(MINE))
    assert set(stored_objects.all_sizes()) == {MINE.lower(), OTHER.lower()}
    longer = made("b", body={"text": "ü" * 500})
    assert await stored_objects.write(replaced=[longer], added=[made("d", kind="upload")])
    grown = await stored_objects.sizes(MINE)
    assert grown["file"] > 1500
    assert grown["upload"] > 0
    assert not await stored_objects.write(added=[made("e")], removed=[made("absent")])
    assert await stored_objects.sizes(MINE) == grown
    assert await stored_objects.write(removed=[longer])
    assert (await stored_objects.sizes(MINE))["file"] == one["file"]
    await stored_objects.end([a, made("absent")], EXPIRED)
    await stored_objects.remove(MINE, "upload", "d")
    assert await stored_objects.sizes(MINE) == {}
    assert set(stored_objects.all_sizes()) == {OTHER.lower()}
    assert await stored_objects.accounts() == {OTHER.lower()}
