"""Bodies that are sealed where their account asks for it."""

from __future__ import annotations

import msgspec
import pytest

from linarite.domain.content_seals import ContentDamaged
from linarite.domain.resource import ACCOUNT_TYPE, Resource
from linarite.domain.stored_object import Page, StoredObject
from linarite.storage.account_seals import AccountSeals
from linarite.storage.memory.keys import MemoryKeyStore
from linarite.storage.memory.resources import MemoryResourceStore
from linarite.storage.memory.stored_objects import MemoryStoredObjects
from linarite.storage.sealed_objects import SEALED, SealedStoredObjects

pytestmark = pytest.mark.anyio

ACCOUNT = "/subscriptions/S/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/Mine"


class Scene:
    """Objects of an account that can be had asked to be sealed."""

    def __init__(self) -> None:
        self.resources, self.keys = MemoryResourceStore(), MemoryKeyStore()
        self.kept = MemoryStoredObjects()
        self.seals = AccountSeals(self.resources, self.keys.box_of, always=False)
        self.resources.subscribe(self.seals.follow)
        self.objects = SealedStoredObjects(self.kept, self.seals)

    async def account(self, **properties: object) -> None:
        """Write it."""
        await self.keys.ensure(ACCOUNT)
        account = Resource(id=ACCOUNT, type=ACCOUNT_TYPE, name="Mine", properties=properties)
        await self.resources.put(account)


def made(name: str, **body: object) -> StoredObject:
    """One of the account's."""
    return StoredObject(account_id=ACCOUNT, kind="file", id=name, created_at=1, body=body)


async def test_an_account_asks_for_it() -> None:
    """By naming a source of keys; from then on, and what was there stays as it was."""
    scene = Scene()
    await scene.account()
    await scene.objects.add(made("a", secret="plain"))
    await scene.account(encryption={"keySource": "Microsoft.CognitiveServices"})
    await scene.objects.write(added=[made("b", secret="sealed")])
    rows = {each.id: each for each in await scene.kept.list(ACCOUNT, "file", Page(limit=9))}
    assert rows["a"].body == {"secret": "plain"}
    assert list(rows["b"].body) == [SEALED]
    assert "sealed" not in msgspec.json.encode(list(rows["b"].body.values())).decode()
    shown = await scene.objects.list(ACCOUNT, "file", Page(limit=9))
    assert [each.body["secret"] for each in shown] == ["sealed", "plain"]
    await scene.account()
    found = await scene.objects.get(ACCOUNT, "file", "b")
    assert found is not None
    assert found.body == {"secret": "sealed"}


async def test_a_body_opens_in_its_own_row_alone() -> None:
    """Copied to another object, or sealed under a key that is gone, it does not."""
    scene = Scene()
    await scene.account(encryption={"keySource": "Microsoft.CognitiveServices"})
    await scene.objects.add(made("a", secret=1))
    row = await scene.kept.get(ACCOUNT, "file", "a")
    assert row is not None
    await scene.kept.add(msgspec.structs.replace(row, id="b"))
    with pytest.raises(ContentDamaged):
        await scene.objects.get(ACCOUNT, "file", "b")
    await scene.keys.forget(ACCOUNT)
    with pytest.raises(ContentDamaged):
        await scene.objects.get(ACCOUNT, "file", "a")
    await scene.keys.ensure(ACCOUNT)
    with pytest.raises(ContentDamaged):
        await scene.objects.get(ACCOUNT, "file", "a")
    assert [each.id for each in await scene.objects.of_account(ACCOUNT, 9)] == ["a", "b"]
