"""ARM-shaped resources and the port that keeps them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from linarite.domain.errors import LinariteError
from linarite.domain.jobs import Job

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from linarite.domain.application_key import ApplicationKeyStore
    from linarite.domain.customer_keys import CustomerKeys
    from linarite.domain.secret_box import SecretBox

ACCOUNT_TYPE = "Microsoft.CognitiveServices/accounts"
DELETED_ACCOUNT_TYPE = "Microsoft.CognitiveServices/locations/resourceGroups/deletedAccounts"
DELETED_FROM = "deletedFrom"
"""property of a deleted account: the id that it had"""
DEPLOYMENT_TYPE = "Microsoft.CognitiveServices/accounts/deployments"


class Resource(msgspec.Struct, frozen=True, omit_defaults=True):
    """A resource as Azure Resource Manager shows it; extra facts live in `properties`."""

    id: str
    """the full ARM id, its case kept as first written; compared without case"""
    type: str
    """`Microsoft.CognitiveServices/accounts` and so on"""
    name: str
    properties: dict[str, Any] = {}
    location: str | None = None
    kind: str | None = None
    sku: dict[str, Any] | None = None
    tags: dict[str, str] | None = None
    identity: dict[str, Any] | None = None
    system_data: dict[str, Any] = {}
    """createdBy, createdByType, createdAt, lastModified…; ISO 8601 times"""
    etag: str = ""
    """set by the store on every write"""


def domain_of(account: Resource) -> str:
    """The word under which clients reach an account: its subdomain, else its name; lower case.

    No two accounts of a server have the same.
    """
    return str(account.properties.get("customSubDomainName") or account.name).lower()


def may_concern_accounts(resource_id: str) -> bool:
    """Whether an id is of an account, or of what accounts lie in; not of what lies in one."""
    lowered = resource_id.lower()
    _, mark, rest = lowered.partition(f"/providers/{ACCOUNT_TYPE.lower()}/")
    return "/" not in rest if mark else "/providers/" not in lowered


class EtagMismatch(LinariteError):
    """The resource has changed since it was read, or exists (or not) against expectation."""

    status = 412
    code = "PreconditionFailed"


class Put(msgspec.Struct, frozen=True):
    """Write a resource; `expected_etag` as in `ResourceStore.put`."""

    resource: Resource
    expected_etag: str | None = None


class Delete(msgspec.Struct, frozen=True):
    """Remove a resource and everything under it.

    `expected_etag`: None removes whatever is there, else only that very state.
    """

    resource_id: str
    expected_etag: str | None = None


Change = Put | Delete


class Committed(msgspec.Struct, frozen=True):
    """What a transaction changed, told to those who subscribed."""

    written: tuple[str, ...] = ()
    """ids"""
    removed: tuple[str, ...] = ()
    """ids; of a removed tree only the root"""
    jobs: tuple[Job, ...] = ()


class ResourceStore(Protocol):
    """Keeps resources by id. Every write is on disk when the call returns."""

    async def get(self, resource_id: str) -> Resource | None:
        """The resource, or None."""
        ...

    async def list_under(self, parent_id: str, resource_type: str) -> list[Resource]:
        """Those of a type at any depth under `parent_id` ("" for all), ordered by id."""
        ...

    async def put(self, resource: Resource, *, expected_etag: str | None = None) -> Resource:
        """Write and return it with its new etag.

        `expected_etag`: None writes whatever is there, "" only where nothing is, else only over
        that very state. Raises EtagMismatch.
        """
        ...

    async def delete(self, resource_id: str) -> bool:
        """Remove it and everything under it; False when it was not there."""
        ...

    async def commit(
        self, changes: Sequence[Change], jobs: Sequence[Job] = ()
    ) -> list[Resource | None]:
        """Make all changes and keep all jobs, or nothing of it.

        Jobs are new ones to be carried out, or known ones as they now stand. Returns, for each
        change, what was written, or what had been there before it was removed (None: nothing).
        Raises EtagMismatch, OperationInProgress when a new job must run alone under its scope
        and another runs there, JobEnded.
        """
        ...

    def subscribe(self, listener: Callable[[Committed], Awaitable[None]]) -> None:
        """Have a listener awaited after each write, before the writer goes on."""
        ...

    async def told(self) -> None:
        """Wait until every listener knows all that can be read by now.

        A reader may see a write before they do. Not for listeners, who would wait for themselves.
        """
        ...


class AccountKeys(msgspec.Struct, frozen=True):
    """An account's two keys in the clear. Never logged: its repr hides them."""

    key1: str
    key2: str

    def __repr__(self) -> str:
        """Hide the keys."""
        return "AccountKeys(key1=…, key2=…)"


class KeyStore(Protocol):
    """Keeps account keys sealed at rest. Every write is on disk when the call returns.

    Whoever asks for keys that are sealed with a customer's key which is not there gets
    CustomerKeyUnavailable.
    """

    @property
    def applications(self) -> ApplicationKeyStore:
        """The keys of single applications; their digests are made as `digest` makes them."""
        ...

    @property
    def customer_keys(self) -> CustomerKeys:
        """The keys that accounts can be sealed with beside the server's."""
        ...

    async def ensure(self, account_id: str) -> AccountKeys:
        """The account's keys, made (64 characters each) if there are none yet."""
        ...

    async def regenerate(self, account_id: str, key_name: str) -> AccountKeys:
        """Replace `key1` or `key2` and return both."""
        ...

    async def encrypt(self, account_id: str, key_id: str) -> None:
        """Seal what the account has with that customer's key as well; "" : no longer.

        The key that it was sealed with until now must be there. Raises CustomerKeyUnavailable.
        """
        ...

    async def box_of(self, account_id: str) -> SecretBox | None:
        """What seals what else the account has; None while the account has no keys."""
        ...

    async def digests(self, account_id: str) -> dict[bytes, str]:
        """HMAC-SHA256 digest of each key → its name."""
        ...

    def digest(self, presented: str) -> bytes:
        """The digest a presented key would have: what `authenticate` looks up."""
        ...

    async def forget(self, account_id: str) -> None:
        """Destroy the account's keys, those of its applications, and its sealing key."""
        ...
