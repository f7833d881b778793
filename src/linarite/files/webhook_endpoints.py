"""Webhook endpoints that applications have made: kept with their sealed secrets, found, changed."""

from __future__ import annotations

import asyncio
import secrets
import time
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from linarite.domain.dial import Errand
from linarite.domain.errors import EgressRefused, InvalidRequest
from linarite.domain.stored_object import Page, StoredObject
from linarite.domain.target import target_of
from linarite.domain.webhook_endpoint import TooManyWebhookEndpoints
from linarite.files.keeper import EVERYBODY
from linarite.web.ids import new_guid

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from linarite.domain.secret_box import SecretBox
    from linarite.domain.stored_object import StoredObjects
    from linarite.files.options import WebhookEndpoints

ENDPOINT = "webhook_endpoint"
SECRET_BYTES = 32
SECRET = "sealed_secret"  # noqa: S105 - the name of a field


class NewEndpoint(NamedTuple):
    """A receiver that an application names."""

    account_id: str
    owner: str
    name: str
    url: str
    event_types: list[str]


class EndpointKeeper:
    """Those of all accounts. Every look-up is by account and id, and by owner where asked.

    Secrets are sealed under the account's own key, whatever else of it is sealed.
    """

    def __init__(
        self,
        objects: StoredObjects,
        box_of: Callable[[str], Awaitable[SecretBox | None]],
        options: WebhookEndpoints,
        require_listed: Callable[[str, int, Errand], None],
        now: Callable[[], float] = time.time,
    ) -> None:
        """`box_of` an account's id gives what seals for it; `require_listed` as of EgressDialer."""
        self._objects = objects
        self._box_of = box_of
        self._options = options
        self._require_listed = require_listed
        self._now = now
        self._turn = asyncio.Lock()

    def require_url(self, account_id: str, url: str) -> None:
        """Raise InvalidRequest for one that nothing may be sent to, with the setting to change."""
        try:
            target = target_of(url)
            errand = Errand("webhook_endpoint", account_id)
            self._require_listed(target.host, target.port, errand)
        except EgressRefused as refused:
            raise InvalidRequest(refused.message, param="url", code="invalid_value") from None
        if not target.tls and target.host not in self._options.private_hosts:
            raise InvalidRequest(
                "'url' must begin with https://: only hosts in webhook_endpoints.private_hosts are "
                "told anything without TLS.",
                param="url",
                code="invalid_value",
            )

    async def make(self, new: NewEndpoint) -> tuple[StoredObject, bytes]:
        """The endpoint, on disk, and the secret that signs for it. Raises TooManyWebhookEndpoints.

        The secret is told once: nothing reads it again but who signs.
        """
        secret = secrets.token_bytes(SECRET_BYTES)
        endpoint_id = f"we_{new_guid().replace('-', '')}"
        box = await self._box_of(new.account_id)
        assert box is not None  # noqa: S101 - an account that is asked has keys
        made = StoredObject(
            account_id=new.account_id,
            kind=ENDPOINT,
            id=endpoint_id,
            created_at=int(self._now()),
            owner=new.owner,
            body={
                "name": new.name,
                "url": new.url,
                "event_types": new.event_types,
                SECRET: box.seal(_sealed_as(new.account_id, endpoint_id), secret),
            },
        )
        async with self._turn:
            most = self._options.account_max
            if len(await self.all_of(new.account_id)) >= most:
                raise TooManyWebhookEndpoints(most)
            await self._objects.add(made)
        return made, secret

    async def find(self, account_id: str, wanted: str, owner: str | None) -> StoredObject | None:
        """One; None for one that is absent, another account's or another owner's."""
        found = await self._objects.get(account_id, ENDPOINT, wanted)
        return found if found is not None and owner in {EVERYBODY, found.owner} else None

    async def list(self, account_id: str, page: Page) -> list[StoredObject]:
        """See StoredObjects."""
        return await self._objects.list(account_id, ENDPOINT, page)

    async def all_of(self, account_id: str) -> list[StoredObject]:
        """Every one of an account, whoever made it."""
        return await self.list(account_id, Page(limit=self._options.account_max, ascending=True))

    async def change(self, found: StoredObject, told: dict[str, object]) -> StoredObject | None:
        """Change fields of its body; None when it has gone. The secret stays."""
        changed = msgspec.structs.replace(found, body=found.body | told)
        return changed if await self._objects.write(replaced=[changed]) else None

    async def remove(self, found: StoredObject) -> bool:
        """Forget it, and with it what waits to be told there; False when it had gone."""
        return await self._objects.remove(found.account_id, ENDPOINT, found.id)

    async def secret_of(self, found: StoredObject) -> bytes:
        """What signs for it. Raises SetupError; LinariteError where its account's key is away."""
        box = await self._box_of(found.account_id)
        assert box is not None  # noqa: S101 - it sealed the secret
        return box.unseal(_sealed_as(found.account_id, found.id), found.body[SECRET])


def _sealed_as(account_id: str, endpoint_id: str) -> str:
    return f"webhook endpoint of {account_id.lower()}: {endpoint_id}"
