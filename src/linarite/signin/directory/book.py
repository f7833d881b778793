"""The directory in memory: every look-up of a sign-in or of a request is made here."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from linarite.domain.directory import DirectoryEntry
from linarite.signin.directory.records import (
    CLASSES,
    NAMESPACE,
    Application,
    FederatedCredential,
    Group,
    Record,
    ServicePrincipal,
    User,
    record_of,
)

if TYPE_CHECKING:
    from linarite.domain.resource import Committed, Resource, ResourceStore

KindT = TypeVar("KindT", bound=Record)
BEGINNING = f"/providers/{NAMESPACE}/".lower()


class DirectoryBook:
    """`Standing`, and the reading half of `Directory`.

    Subscribed to the store, it has every change before the writer goes on.
    """

    def __init__(self, resources: ResourceStore, tenant: str) -> None:
        """`tenant` is this server's own."""
        self._resources = resources
        self._tenant = tenant
        self._records: dict[str, Record] = {}
        """by object id"""
        self._by_app: dict[str, tuple[Application | None, ServicePrincipal | None]] = {}
        """by client id"""
        self._by_upn: dict[str, User] = {}
        self._by_resource: dict[str, ServicePrincipal] = {}
        """by the lower-cased id of the resource whose identity it is"""
        self._by_uri: dict[str, Application] = {}
        self._federated: dict[str, FederatedCredential] = {}
        """credentials of user-assigned identities, by their lower-cased ARM ids"""
        self._groups_of: dict[str, frozenset[str]] = {}
        """by object id: the groups that it is in, directly or by way of others"""

    async def load(self) -> None:
        """Read everything; from then on `follow` keeps it up to date."""
        self._records = {
            record.object_id: record
            for kind in CLASSES
            for record in map(record_of, await self._resources.list_under("", kind))
        }
        self._index()

    async def follow(self, committed: Committed) -> None:
        """What a store's subscriber is told."""
        changed = [each for each in committed.written if each.lower().startswith(BEGINNING)]
        gone = [each for each in committed.removed if each.lower().startswith(BEGINNING)]
        if not changed and not gone:
            return
        for resource_id in changed:
            resource = await self._resources.get(resource_id)
            if resource is not None and resource.type in CLASSES:
                record = record_of(resource)
                self._records[record.object_id] = record
        for resource_id in gone:
            self._records.pop(resource_id.rpartition("/")[2].lower(), None)
        self._index()

    def all(self, kind: type[KindT]) -> list[KindT]:
        """Every record of a kind, by name."""
        found = [each for each in self._records.values() if isinstance(each, kind)]
        return sorted(found, key=lambda each: (each.name.lower(), each.object_id))

    def record(self, object_id: str) -> Record | None:
        """Whom an object id means."""
        return self._records.get(object_id.lower())

    def find(self, kind: type[KindT], object_id: str) -> KindT | None:
        """The same, of one kind only."""
        found = self.record(object_id)
        return found if isinstance(found, kind) else None

    def application(self, app_id: str) -> Application | None:
        """The registration of a client id."""
        return self._by_app.get(app_id.lower(), (None, None))[0]

    def service_principal(self, app_id: str) -> ServicePrincipal | None:
        """What signs in with a client id."""
        return self._by_app.get(app_id.lower(), (None, None))[1]

    def user(self, upn: str) -> User | None:
        """Who signs in with a name."""
        return self._by_upn.get(upn.strip().lower())

    def managed_identity(self, resource_id: str) -> ServicePrincipal | None:
        """The identity of a resource."""
        return self._by_resource.get(resource_id.lower())

    def trust(self, credential: Resource) -> None:
        """Take a federated credential of a user-assigned identity, as it now stands."""
        told = credential.properties
        self._federated[credential.id.lower()] = FederatedCredential(
            id=credential.id,
            name=credential.name,
            issuer=str(told.get("issuer", "")),
            subject=str(told.get("subject", "")),
            audiences=tuple(str(each) for each in told.get("audiences") or ()),
        )

    def distrust_under(self, resource_id: str) -> None:
        """Forget the federated credential of this id, and those under it."""
        below = f"{resource_id.lower()}/"
        for each in [each for each in self._federated if f"{each}/".startswith(below)]:
            del self._federated[each]

    def federated_of(self, principal: ServicePrincipal) -> tuple[FederatedCredential, ...]:
        """Whom a managed identity trusts: the credentials under its resource."""
        if not principal.resource_id:
            return ()
        below = f"{principal.resource_id.lower()}/"
        return tuple(each for key, each in self._federated.items() if key.startswith(below))

    def resource_application(self, resource: str) -> Application | None:
        """The registered application that a resource's name means: an identifier URI or a GUID."""
        named = resource.rstrip("/").lower()
        found = self._by_uri.get(named) or self.application(named)
        return found or self.application(named.removeprefix("api://"))

    def groups_of(self, object_id: str) -> frozenset[str]:
        """The groups that somebody is in, directly or by way of others."""
        return self._groups_of.get(object_id, frozenset())

    def entry(self, object_id: str) -> DirectoryEntry | None:
        """Whom an object id means, for those who assign roles."""
        found = self.record(object_id)
        if found is None or isinstance(found, Application):
            return None
        return entry_of(found)

    def valid_from(self, tenant_id: str, object_id: str) -> int | None:
        """`Standing.valid_from`: tokens issued before this second are void; None: all are."""
        if tenant_id.lower() != self._tenant:
            return None
        found = self.record(object_id)
        if not isinstance(found, User | ServicePrincipal) or not found.enabled:
            return None
        return found.valid_from

    def _index(self) -> None:
        applications = self.all(Application)
        principals = self.all(ServicePrincipal)
        self._by_app = {each.app_id: (each, None) for each in applications}
        for each in principals:
            self._by_app[each.app_id] = (self._by_app.get(each.app_id, (None, None))[0], each)
        self._by_upn = {each.upn.lower(): each for each in self.all(User)}
        self._by_resource = {
            each.resource_id.lower(): each for each in principals if each.resource_id
        }
        self._by_uri = {
            uri.rstrip("/").lower(): each for each in applications for uri in each.identifier_uris
        }
        self._groups_of = memberships(self.all(Group))


def entry_of(record: ServicePrincipal | User | Group) -> DirectoryEntry:
    """A record as the control plane sees it."""
    if isinstance(record, ServicePrincipal):
        return DirectoryEntry(
            record.object_id, "ServicePrincipal", record.name, record.app_id, record.enabled
        )
    if isinstance(record, User):
        return DirectoryEntry(record.object_id, "User", record.name, enabled=record.enabled)
    return DirectoryEntry(record.object_id, "Group", record.name)


def memberships(groups: list[Group]) -> dict[str, frozenset[str]]:
    """Member → all groups it is in, by way of other groups too; circles do no harm."""
    direct: dict[str, set[str]] = {}
    for group in groups:
        for member in group.members:
            direct.setdefault(member, set()).add(group.object_id)
    found: dict[str, frozenset[str]] = {}
    for member, around in direct.items():
        reached: set[str] = set()
        ahead = list(around)
        while ahead:
            group = ahead.pop()
            if group not in reached:
                reached.add(group)
                ahead += direct.get(group, ())
        found[member] = frozenset(reached)
    return found
