"""Keeping vector stores: what is known about them with all stored objects, their contents apart."""

from __future__ import annotations

import asyncio
import secrets
import time
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

import msgspec

from linarite.domain.content_seals import ContentDamaged, NoSeals
from linarite.domain.customer_keys import CustomerKeyUnavailable
from linarite.domain.errors import LinariteError, SetupError
from linarite.domain.stored_object import Page, StoredObject
from linarite.domain.unbroken import unbroken
from linarite.domain.vector_store import FileKey
from linarite.domain.vector_store_errors import (
    NoSuchFileToAdd,
    NoSuchVectorStore,
    TooManyStoreFiles,
    VectorStoreExpired,
)
from linarite.files.keeper import CONTENT_KEY, EVERYBODY, PROCESSED
from linarite.vector_stores.extraction import require_documents
from linarite.web.ids import new_guid

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from linarite.domain.content_seals import ContentSeals
    from linarite.domain.secret_box import SecretBox
    from linarite.domain.stored_object import StoredObjects
    from linarite.domain.vector_store import NewStoreFile, VectorIndex, VectorIndexes
    from linarite.files import FileKeeper
    from linarite.vector_stores.options import VectorStores

VECTOR_STORE = "vector_store"
DAY_S = 86_400
REMEMBERED_S = 30 * DAY_S
"""how long a store is shown after its time"""
EVERY_STORE = 1_000_000
USED_EVERY_S = 60
"""uses within that are noted as one"""
KEY_BYTES = 32
BEING_SEALED = "being_sealed"
"""field of a body: its file may lie in the clear as yet"""
ACTIVE_AT, DAYS, DEPLOYMENT = "last_active_at", "expires_days", "deployment"


class NewStore(msgspec.Struct, frozen=True, kw_only=True):
    """A store that shall be made."""

    account_id: str
    owner: str
    name: str
    description: str | None = None
    metadata: dict[str, str] | None = None
    expires_days: int = 0
    """after its last use; 0: never"""


class VectorStoreKeeper:
    """The stores of all accounts. Every look-up is by account and id, and by owner where asked."""

    def __init__(
        self,
        objects: StoredObjects,
        files: FileKeeper,
        indexes: VectorIndexes,
        options: VectorStores,
        *,
        seals: ContentSeals | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.files = files
        self.options = options
        self._objects = objects
        self._indexes = indexes
        self._seals = seals or NoSeals()
        self._now = now
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        """whoever changes a store waits for who does so already"""
        self._filling: set[str] = set()
        """stores whose files are being taken in"""
        self.begin: Callable[[StoredObject], Awaitable[None]] = _nobody
        """have somebody take in what is coming"""
        self.emptied: Callable[[str], None] = _nobody_holds
        """told the name of what was destroyed, so that nobody keeps it in memory"""
        self.deployment_of: Callable[[str], str] = _no_deployment
        """which deployment makes an account's vectors. Raises NoEmbeddingDeployment"""

    def turn(self, store_id: str) -> asyncio.Lock:
        """To be held while a store is changed."""
        return self._turns.setdefault(store_id, asyncio.Lock())

    def index(self, store: StoredObject) -> VectorIndex:
        """What lies in a store."""
        return self._indexes.of(store.blob, self._key_of(store))

    def _key_of(self, store: StoredObject) -> FileKey | None:
        sealed = str(store.body.get(CONTENT_KEY, ""))
        if not sealed:
            return None

        async def read() -> bytes:
            box = await self._seals.box_of(store.account_id)
            try:
                return box.unseal(_key_name(store.blob), sealed)
            except (SetupError, ValueError):
                raise ContentDamaged from None

        return FileKey(read, being_sealed=BEING_SEALED in store.body)

    def is_over(self, store: StoredObject) -> bool:
        """Whether it has expired."""
        ends_at = ends_at_of(store)
        return 0 < ends_at <= self._now()

    def require_live(self, store: StoredObject) -> None:
        """Raise VectorStoreExpired."""
        if self.is_over(store):
            raise VectorStoreExpired(store.id)

    async def create(self, new: NewStore) -> StoredObject:
        """Make one.

        Raises DocumentsNotInstalled, NoEmbeddingDeployment, TooManyStoreFiles,
        AccountStorageFull, DiskNearlyFull, CustomerKeyUnavailable.
        """
        require_documents()
        await self.files.room.require(new.account_id)
        deployment = self.deployment_of(new.account_id)
        most = self.options.stores_max
        there = await self._objects.count(new.account_id, VECTOR_STORE, "", lasting=True)
        there += await self._objects.count(new.account_id, VECTOR_STORE, "", lasting=False)
        if there >= most:
            raise TooManyStoreFiles("Vector stores: an account", most, "vector_stores.stores_max")
        now = int(self._now())
        name = new_guid().replace("-", "")
        body: dict[str, Any] = {
            "name": new.name,
            "description": new.description,
            "metadata": new.metadata or {},
            DAYS: new.expires_days,
            ACTIVE_AT: now,
            DEPLOYMENT: deployment,
        }
        if (box := await self._seals.box_for_new(new.account_id)) is not None:
            require_documents(sealing=True)
            body |= _new_key(f"vs_{name}", box)
        made = StoredObject(
            account_id=new.account_id,
            kind=VECTOR_STORE,
            id=f"vs_{name}",
            created_at=now,
            owner=new.owner,
            blob=f"vs_{name}",
            expires_at=_forgotten_at(body),
            body=body,
        )
        await self._objects.add(made)
        return made

    async def sealed(self, store: StoredObject) -> StoredObject:
        """The store as it must lie from now on: sealed, if its account has come to ask for it.

        Raises NoSuchVectorStore, DocumentsNotInstalled, CustomerKeyUnavailable.
        """
        async with self.turn(store.id):
            return await self._sealed(store)

    async def _sealed(self, store: StoredObject) -> StoredObject:
        """The same in its turn. Its key is known before anything is sealed with it."""
        box = await self._seals.box_for_new(store.account_id)
        if box is None or (CONTENT_KEY in store.body and BEING_SEALED not in store.body):
            return store
        require_documents(sealing=True)
        current = await self.find(store.account_id, store.id, EVERYBODY)
        if current is None:
            raise NoSuchVectorStore(store.id)
        if CONTENT_KEY not in current.body:
            key = _new_key(current.blob, box) | {BEING_SEALED: True}
            current = await self._rewritten(current, current.body | key)
        if (key := self._key_of(current)) is None or not key.being_sealed:
            return current
        await self._indexes.seal(current.blob, await key.read())
        body = {name: told for name, told in current.body.items() if name != BEING_SEALED}
        return await self._rewritten(current, body)

    async def find(self, account_id: str, store_id: str, owner: str | None) -> StoredObject | None:
        """A store; None for one that is absent, another account's or another owner's."""
        found = await self._objects.get(account_id, VECTOR_STORE, store_id)
        if found is None or owner not in {EVERYBODY, found.owner}:
            return None
        return found if not 0 < found.expires_at <= self._now() else None

    async def list(self, account_id: str, page: Page) -> list[StoredObject]:
        """See StoredObjects."""
        alive = msgspec.structs.replace(page, alive_at=int(self._now()))
        return await self._objects.list(account_id, VECTOR_STORE, alive)

    async def change(self, store: StoredObject, told: dict[str, Any]) -> StoredObject:
        """Change fields of its body, and note that it was used. Raises NoSuchVectorStore."""
        async with self.turn(store.id):
            current = await self.find(store.account_id, store.id, EVERYBODY)
            if current is None:
                raise NoSuchVectorStore(store.id)
            body = current.body | told
            if not self.is_over(current):
                body[ACTIVE_AT] = int(self._now())
            return await self._rewritten(current, body)

    async def _rewritten(self, store: StoredObject, body: dict[str, Any]) -> StoredObject:
        changed = msgspec.structs.replace(store, body=body, expires_at=_forgotten_at(body))
        if not await self._objects.write(replaced=[changed]):
            raise NoSuchVectorStore(store.id)
        return changed

    async def measured(self, store: StoredObject, usage_bytes: int) -> None:
        """Note how much lies in it, so that it counts among what its account stores."""
        async with self.turn(store.id):
            current = await self.find(store.account_id, store.id, EVERYBODY)
            if current is not None and current.blob_bytes != usage_bytes:
                told = msgspec.structs.replace(current, blob_bytes=usage_bytes)
                await self._objects.write(replaced=[told])

    async def used(self, store: StoredObject) -> None:
        """Note that it was used."""
        if self._now() - int(store.body[ACTIVE_AT]) >= USED_EVERY_S:
            await self.change(store, {})

    async def remove(self, store: StoredObject) -> None:
        """Forget one: first that there is one, then what lies in it."""
        async with self.turn(store.id):
            await self._objects.remove(store.account_id, store.kind, store.id)
            await self._destroy(store.blob)

    async def _destroy(self, name: str) -> None:
        await self._indexes.remove(name)
        self.emptied(name)

    async def add_files(
        self, store: StoredObject, files: Sequence[NewStoreFile], *, batch: bool = False
    ) -> str:
        """Have files come in; the id of their batch, "" without one.

        Raises VectorStoreExpired, NoSuchVectorStore, TooManyStoreFiles, DocumentsNotInstalled,
        AccountStorageFull, DiskNearlyFull, CustomerKeyUnavailable, ContentDamaged.
        """
        require_documents()
        self.require_live(store)
        await self.files.room.require(store.account_id)
        batch_id = f"vsfb_{new_guid().replace('-', '')}" if batch else ""
        most = self.options.files_max
        now = int(self._now())
        async with self.turn(store.id):
            current = await self.find(store.account_id, store.id, EVERYBODY)
            if current is None:
                raise NoSuchVectorStore(store.id)
            store = await self._sealed(current)
            if not await unbroken(self._coming(store, files, batch_id, now)):
                raise TooManyStoreFiles(f"Vector store {store.id}", most, "vector_stores.files_max")
        await self.used(store)
        return batch_id

    async def _coming(
        self, store: StoredObject, files: Sequence[NewStoreFile], batch_id: str, now: int
    ) -> bool:
        """Note files, and have somebody take them in; False where they are too many."""
        if not await self.index(store).add(files, batch_id, now, self.options.files_max):
            return False
        if store.id not in self._filling:
            await self.begin(store)
            self._filling.add(store.id)
        return True

    async def new_files(
        self, store_files: Sequence[NewStoreFile], account_id: str, owner: str | None
    ) -> list[NewStoreFile]:
        """With their names. Raises NoSuchFileToAdd."""
        found: list[NewStoreFile] = []
        for each in store_files:
            file = await self.files.find(account_id, each.file_id, owner)
            if file is None or file.body.get("status", PROCESSED) != PROCESSED:
                raise NoSuchFileToAdd(each.file_id)
            filename = str(file.body["filename"])
            found.append(msgspec.structs.replace(each, filename=filename))
        return found

    async def filled(self, store: StoredObject) -> bool:
        """Whether nothing is coming any more; from then on new files need another job."""
        async with self.turn(store.id):
            counts, _ = await self.index(store).summary()
            if counts.in_progress:
                return False
            self._filling.discard(store.id)
            return True

    def being_filled(self, store_id: str) -> None:
        """A job takes files in, perhaps one that an earlier server has left: no other is needed."""
        self._filling.add(store_id)

    def given_up(self, store_id: str) -> None:
        """The job that took files in has ended otherwise."""
        self._filling.discard(store_id)

    async def waiting(self) -> list[StoredObject]:
        """Stores with files that are coming, of all accounts."""
        return [each for each in await self._all() if await self._is_waiting(each)]

    async def _is_waiting(self, store: StoredObject) -> bool:
        try:
            counts, _ = await self.index(store).summary()
        except CustomerKeyUnavailable:  # nobody can tell; who takes them in waits for the key
            return True
        except ContentDamaged:
            return False
        return counts.in_progress > 0

    async def sweep(self) -> None:
        """Empty stores that have expired, and destroy what lies in stores that there are not."""
        known: set[str] = set()
        for store in await self._all():
            if self.is_over(store):
                await self._destroy(store.blob)
                await self.measured(store, 0)
            known.add(store.blob)
        for name in await self._indexes.names():
            # Asked again under the turn: it may have been made meanwhile.
            if name not in known:
                async with self.turn(name):
                    if name not in await self._objects.blobs():
                        await self._destroy(name)

    async def _all(self) -> list[StoredObject]:
        found: list[StoredObject] = []
        for account_id in await self._objects.accounts():
            found += await self._of(account_id)
        return found

    async def _of(self, account_id: str) -> list[StoredObject]:
        try:
            return await self._objects.list(account_id, VECTOR_STORE, Page(limit=EVERY_STORE))
        except LinariteError:  # its key is gone for now: its stores stay as they are
            return []


def ends_at_of(store: StoredObject) -> int:
    """When it expires, in seconds since the epoch; 0: never."""
    days = int(store.body[DAYS])
    return int(store.body[ACTIVE_AT]) + days * DAY_S if days else 0


def _forgotten_at(body: dict[str, Any]) -> int:
    days = int(body[DAYS])
    return int(body[ACTIVE_AT]) + days * DAY_S + REMEMBERED_S if days else 0


def _new_key(name: str, box: SecretBox) -> dict[str, Any]:
    """A fresh key for a store of that name, as its body keeps it."""
    return {CONTENT_KEY: box.seal(_key_name(name), secrets.token_bytes(KEY_BYTES))}


def _key_name(name: str) -> str:
    return f"vectors {name}"


async def _nobody(store: StoredObject) -> None:
    """Nothing takes files in before the server has started."""
    del store


def _nobody_holds(name: str) -> None:
    """As above."""
    del name


def _no_deployment(account_id: str) -> str:
    """As above."""
    del account_id
    return ""
