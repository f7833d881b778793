"""One request to the control plane, from its path to its answer. The order of checks is here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from copy import copy
from typing import TYPE_CHECKING, Any

import msgspec

from linarite.controlplane.activity import Deed, begun, ended
from linarite.controlplane.api_versions import require_version
from linarite.controlplane.auditing import (
    REFUSALS,
    Judged,
    audited_end,
    audited_refusal,
    audited_start,
)
from linarite.controlplane.authorizing import (
    require_permission,
    require_unlocked,
    scope_asked,
)
from linarite.controlplane.preview import Preview, previewed
from linarite.controlplane.request import Answer, ArmRequest, Target
from linarite.controlplane.resource_type import Attributes, Entry, ResourceType, no_attributes
from linarite.controlplane.router import Router
from linarite.controlplane.surface import Known, Surface
from linarite.controlplane.verbs.delete import delete
from linarite.controlplane.verbs.get import get, head
from linarite.controlplane.verbs.list import list_resources
from linarite.controlplane.verbs.patch import patch
from linarite.controlplane.verbs.put import put
from linarite.domain.arm_errors import ArmError
from linarite.domain.arm_id import segments_of, type_of
from linarite.domain.audit_errors import AuditUnavailable
from linarite.domain.errors import LinariteError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from linarite.controlplane.resource_type import Action
    from linarite.domain.access import Decision
    from linarite.domain.activity import ActivityEvent
    from linarite.domain.resource import ResourceStore

FOLLOWED = frozenset(("azure-asyncoperation", "location"))
"""headers of an answer whose work a job goes on with"""
READING = frozenset(("GET", "HEAD"))
"""methods that leave no trace in the activity log"""

VERBS: dict[str, tuple[str, str, Any]] = {
    "GET": ("GET", "read", get),
    "HEAD": ("HEAD", "read", head),
    "PUT": ("PUT", "write", put),
    "PATCH": ("PATCH", "write", patch),
    "DELETE": ("DELETE", "delete", delete),
}
"""a row's word → the method, what a role must grant, the verb"""


class Operation(msgspec.Struct, frozen=True):
    """What answers one method of one path."""

    act: Callable[[ArmRequest, Target, Surface], Awaitable[Answer]]
    permission: str
    type: str
    versions: Sequence[str]
    public: bool = False
    partial: str = ""
    """what of it has no effect yet"""
    row: ResourceType | None = None
    """the stored resources it is about; None for actions"""
    entry: Entry = "permission"
    lists: bool = False
    """as `Action.lists`"""
    reads: bool = False
    """as `Action.reads`"""
    audience: str = ""
    """as `Action.audience`"""
    is_data: bool = False
    """as `Action.is_data`"""
    attributes: Callable[[ArmRequest, Target, Surface], Awaitable[Attributes | None]] = (
        no_attributes
    )


class ControlPlane:
    """Serves requests by the table."""

    def __init__(
        self, types: Sequence[ResourceType], actions: Iterable[Action], surface: Surface
    ) -> None:
        """File every row under the paths that lead to it."""
        types, actions = tuple(types), tuple(actions)
        self.surface = surface
        surface.own_plane = self
        self.stored_types = tuple(row.type for row in types)
        surface.known = known_types(types, actions)
        surface.rows = {row.type.lower(): row for row in types}
        self._router = filed(types, actions)

    def is_public(self, method: str, path: str) -> bool:
        """Whether a path answers without a credential."""
        operation = self._operation(method, path)
        return operation is not None and operation.public

    def permission_of(self, method: str, path: str) -> str:
        """What a role must grant for it; "" where nothing answers."""
        operation = self._operation(method, path)
        return operation.permission if operation is not None else ""

    def audience_of(self, method: str, path: str) -> str:
        """For whom a token may be, too, that opens it; "" for nobody else."""
        operation = self._operation(method, path)
        return operation.audience if operation is not None else ""

    async def serve(self, request: ArmRequest) -> Answer:
        """Answer an authenticated caller's request. Raises ArmError and other LinariteErrors."""
        operation, target, decision = await self._admitted(request)
        if request.method in READING or operation.reads:
            answer = await operation.act(request, target, self.surface)
            # Whoever reads that a deployment is there may call it: the data path must know it too.
            await self.surface.resources.told()
            return answer
        deed = Deed(
            request=request,
            permission=operation.permission,
            resource_type=operation.type,
            resource_id=scope_asked(operation, target),
            tells_body=operation.row is not None
            and not operation.row.secret
            and not request.of_template,
        )
        told = Judged(request, deed.permission, deed.resource_id, decision)
        await self.surface.audit.record(audited_start(told))  # 503: then nothing is done
        await self._log(begun(deed, self.surface.realm, self._now()))
        try:
            await require_unlocked(operation, request, target, self.surface)
            answer = await operation.act(request, target, self.surface)
        except LinariteError as refused:
            await self._ended(deed, told, Answer(refused.status), refused.code or "")
            raise
        await self._ended(deed, told, answer)
        return answer

    async def preview(self, request: ArmRequest) -> Preview:
        """What a PUT would do; nothing is known of what is not stored. Raises ArmError."""
        operation, target, _ = await self.check(request)
        await require_unlocked(operation, request, target, self.surface)
        if operation.row is None:
            return Preview()
        place = operation.row.place(target, self.surface.realm)
        return await previewed(request, place, operation.row, self.surface)

    def over(self, resources: ResourceStore) -> Surface:
        """A surface whose plane has the same table over other resources: for trying things out."""
        other = copy(self)
        other.surface = msgspec.structs.replace(self.surface, resources=resources, own_plane=other)
        return other.surface

    async def check(self, request: ArmRequest) -> tuple[Operation, Target, Decision]:
        """What answers the request, and what lets its caller make it. Raises ArmError.

        The request must know its api-version.
        """
        operation, target = self._found(request)
        require_version(
            request.api_version,
            operation.versions,
            operation.type,
            self.surface.realm.locations,
        )
        decision = await require_permission(operation, request, target, self.surface)
        return operation, target, decision

    async def _admitted(self, request: ArmRequest) -> tuple[Operation, Target, Decision]:
        """As `check`; who was refused what is audited."""
        try:
            return await self.check(request)
        except LinariteError as refused:
            if refused.status in REFUSALS:
                permission = self.permission_of(request.method, request.path)
                await self.surface.audit.record(
                    audited_refusal(request, permission, refused, self.surface.access)
                )
            raise

    async def _ended(self, deed: Deed, told: Judged, answer: Answer, code: str = "") -> None:
        realm, goes_on = self.surface.realm, not FOLLOWED.isdisjoint(answer.headers)
        await self._log(ended(deed, realm, self._now(), answer.status, code, goes_on=goes_on))
        try:
            await self.surface.audit.record(audited_end(told, answer.status, code))
        except AuditUnavailable as problem:
            raise AuditUnavailable(problem.reason, done=True) from None

    def _now(self) -> str:
        return self.surface.now().isoformat()

    async def _log(self, event: ActivityEvent) -> None:
        await self.surface.activity.add([event])

    def _operation(self, method: str, path: str) -> Operation | None:
        found = self._router.find(path)
        return found[0].get(method) if found is not None else None

    def _found(self, request: ArmRequest) -> tuple[Operation, Target]:
        found = self._router.find(request.path)
        if found is None:
            raise _unknown_path(request.path, request.api_version)
        by_method, target = found
        operation = by_method.get(request.method)
        if operation is None:
            allowed = ", ".join(sorted(by_method))
            raise ArmError(
                405,
                "MethodNotAllowed",
                f"The method '{request.method[:20]}' is not allowed here; allowed: {allowed}.",
                headers={"allow": allowed},
            )
        return operation, target


def filed(types: Iterable[ResourceType], actions: Iterable[Action]) -> Router[Operation]:
    """Every row under the paths that lead to it."""
    router: Router[Operation] = Router()
    for row in types:
        for word in sorted(row.verbs - {"LIST"}):
            method, permission, verb = VERBS[word]
            router.add(method, row.template, _of_row(row, verb, permission))
        if "LIST" in row.verbs:
            usual = row.template[: row.template.rindex("/")]
            for collection in (usual, *row.collections):
                router.add("GET", collection, _of_row(row, list_resources, "read", lists=True))
    for action in actions:
        operation = Operation(
            action.act,
            action.permission,
            action.type,
            action.versions,
            public=action.public,
            partial=action.partial,
            entry=action.entry,
            lists=action.lists,
            reads=action.reads,
            audience=action.audience,
            is_data=action.is_data,
        )
        router.add(action.method, action.template, operation)
    return router


def _of_row(
    row: ResourceType, verb: Callable[..., Awaitable[Answer]], may: str, *, lists: bool = False
) -> Operation:
    async def act(request: ArmRequest, target: Target, surface: Surface) -> Answer:
        return await verb(request, row.place(target, surface.realm), row, surface)

    async def attributes(
        request: ArmRequest, target: Target, surface: Surface
    ) -> Attributes | None:
        return await row.attributes(request, row.place(target, surface.realm), surface)

    return Operation(
        act,
        f"{row.grants}/{may}",
        row.type,
        row.versions,
        row=row,
        partial=row.partial,
        lists=lists,
        attributes=attributes,
    )


def known_types(types: Sequence[ResourceType], actions: Sequence[Action]) -> tuple[Known, ...]:
    """The table as others list it: each type once, with what roles can grant on it."""
    permissions: dict[str, dict[str, None]] = {}
    versions: dict[str, Sequence[str]] = {}
    for row in types:
        granted = permissions.setdefault(row.type, {})
        granted |= {f"{row.grants}/{VERBS[word][1]}": None for word in sorted(row.verbs - {"LIST"})}
        versions[row.type] = row.versions
    for action in actions:
        permissions.setdefault(action.type, {})[action.permission] = None
        versions.setdefault(action.type, action.versions)
    tracked = {row.type for row in types if row.tracked}
    return tuple(
        Known(
            namespace=kind.partition("/")[0],
            words=kind.partition("/")[2],
            versions=tuple(versions[kind]),
            tracked=kind in tracked,
            permissions=tuple(granted),
        )
        for kind, granted in sorted(permissions.items())
    )


def _unknown_path(path: str, api_version: str) -> ArmError:
    """What the Resource Manager says of a namespace or type that is not there."""
    parts = segments_of(path)
    words = [part.lower() for part in parts]
    if "providers" not in words or words[-1] == "providers":
        return ArmError(404, "ResourceNotFound", f"There is nothing at '{path[:300]}'.")
    kind = type_of(path)
    namespace, _, words = kind.partition("/")
    return ArmError(
        404,
        "InvalidResourceType",
        f"The resource type '{words[:200]}' could not be found in the namespace "
        f"'{namespace[:100]}' for api version '{api_version[:40]}'. This server does not have it: "
        "docs/control-plane.md lists what there is.",
    )
