"""listKeys and regenerateKey."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from linarite.controlplane.request import Answer
from linarite.controlplane.stocktaking import account_of
from linarite.controlplane.wire import read_object
from linarite.domain.arm_errors import bad_request

if TYPE_CHECKING:
    from linarite.controlplane.request import ArmRequest, Target
    from linarite.controlplane.surface import Surface
    from linarite.domain.resource import Resource

KEY_NAMES = ("key1", "key2")


async def list_keys(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """Both keys. Refused for accounts that take no keys."""
    del request
    account = await account_of(surface, target)
    _require_local_auth(account, "list")
    has_keys = bool(await surface.keys.digests(account.id))
    keys = await surface.keys.ensure(account.id)
    if not has_keys:  # the server was killed between making the account and making its keys
        await surface.keys_changed(account.id)
    return Answer(200, msgspec.structs.asdict(keys))


async def regenerate_key(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """Replace one key. The old one opens nothing any more when the answer comes.

    Refused, like listing, for accounts that take no keys: the answer tells both.
    """
    account = await account_of(surface, target)
    _require_local_auth(account, "regenerate")
    told = str(read_object(request.body).get("keyName", ""))
    name = told.lower()
    if name not in KEY_NAMES:
        raise bad_request(
            "InvalidKeyName",
            f"'{told[:100]}' is not the name of a key; use Key1 or Key2.",
            target="keyName",
        )
    async with surface.turn:
        keys = await surface.keys.regenerate(account.id, name)
        await surface.keys_changed(account.id)
    return Answer(200, msgspec.structs.asdict(keys))


def _require_local_auth(account: Resource, act: str) -> None:
    """Let an account pass that takes keys. Raises ArmError, in Azure's words."""
    if account.properties.get("disableLocalAuth"):
        raise bad_request(
            "BadRequest",
            f"Failed to {act} key. disableLocalAuth is set to be true",
        )
