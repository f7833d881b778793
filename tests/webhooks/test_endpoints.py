"""Which endpoints of applications hear of a notice."""

from __future__ import annotations

import pytest

from linarite.domain.errors import EgressRefused, LinariteError, ServiceUnavailable
from linarite.domain.notice import Notice
from linarite.files.options import WebhookEndpoints
from linarite.files.webhook_endpoints import EndpointKeeper, NewEndpoint
from linarite.storage.memory.keys import MemoryKeyStore
from linarite.storage.memory.stored_objects import MemoryStoredObjects
from linarite.webhooks.endpoints import MadeDestinations

pytestmark = pytest.mark.anyio

ACCOUNT, OTHER = "/accounts/a", "/accounts/b"
TYPE = "batch.completed"


def nowhere(host: str, port: int, errand: object) -> None:
    """A rule that lists nothing."""
    del port, errand
    raise EgressRefused(f"Connections to '{host}' are not allowed.")


class Rig:
    """A keeper, and endpoints of two accounts."""

    def __init__(self) -> None:
        self.objects = MemoryStoredObjects()
        self.keys = MemoryKeyStore()
        self.keeper = EndpointKeeper(self.objects, self.keys.box_of, WebhookEndpoints(), nowhere)

    async def make(self, account: str = ACCOUNT, owner: str = "", *types: str) -> str:
        """The name of a new one."""
        await self.keys.ensure(account)
        new = NewEndpoint(account, owner, "x", "https://hooks.example/x", list(types or (TYPE,)))
        made, _ = await self.keeper.make(new)
        return f"webhook_endpoints.{account}#{made.id}"


@pytest.fixture
def rig() -> Rig:
    """Nothing made yet."""
    return Rig()


async def test_those_of_the_account_that_want_the_type(rig: Rig) -> None:
    """And a notice of the server's own reaches none."""
    mine = await rig.make()
    await rig.make(OTHER)
    await rig.make(ACCOUNT, "", "batch.failed")
    made = MadeDestinations(rig.keeper, of_makers=False)
    notice = Notice(type=TYPE, data={}, account_id=ACCOUNT, owner="somebody")
    assert await made.wanting(notice) == [mine]
    assert await made.wanting(Notice(type=TYPE, data={})) == []
    found = await made.find(mine)
    assert found is not None
    assert (found.target.host, found.purpose) == ("hooks.example", "webhook_endpoint")
    assert "x" not in repr(found).replace("example", "")
    for absent in (f"{mine}0", mine.replace(ACCOUNT, OTHER), "webhooks.x", f"{ACCOUNT}#x"):
        assert await made.find(absent) is None


async def test_of_makers_alone_where_objects_are_theirs(rig: Rig) -> None:
    """What nobody has made is everybody's."""
    keys, ada = await rig.make(), await rig.make(ACCOUNT, "ada")
    made = MadeDestinations(rig.keeper, of_makers=True)
    for owner, names in ((None, {keys, ada}), ("", {keys}), ("ada", {ada}), ("bob", set[str]())):
        notice = Notice(type=TYPE, data={}, account_id=ACCOUNT, owner=owner)
        assert set(await made.wanting(notice)) == names


async def test_a_key_that_is_away_holds_nobody_up(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That account is not told; a store that is away is waited for."""
    refusals: list[LinariteError] = [LinariteError("away"), ServiceUnavailable("later")]

    async def all_of(account_id: str) -> list[object]:
        del account_id
        raise refusals.pop(0)

    monkeypatch.setattr(rig.keeper, "all_of", all_of)
    made = MadeDestinations(rig.keeper, of_makers=False)
    notice = Notice(type=TYPE, data={}, account_id=ACCOUNT)
    assert await made.wanting(notice) == []
    with pytest.raises(ServiceUnavailable):
        await made.wanting(notice)
