"""The audit log: who did what, in a chain that shows any later change of it.

Every entry's hash covers the hash before it, so nothing can be changed, moved or taken out
without all later hashes changing. Checkpoints sign the hash at which the log had arrived.
`linarite.controls.audit` makes and proves the chain; a store only keeps it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

CONTROL_PLANE = "ControlPlane"
"""writes, deletes, actions, reads of secrets, refusals"""
SIGN_IN = "SignIn"
DIRECTORY = "Directory"
"""changes of applications, people, groups and what they sign in with; refusals there"""
KEY_USE = "KeyUse"
"""a key has opened the data plane from an address: at most once an hour"""
DATA_PLANE_REFUSAL = "DataPlaneRefusal"
"""a request without a good credential, or without the right"""
ADMINISTRATION = "Administration"
"""what is done to the server itself"""
CATEGORIES = (CONTROL_PLANE, DIRECTORY, SIGN_IN, KEY_USE, DATA_PLANE_REFUSAL, ADMINISTRATION)

READS_AUDIT = "Microsoft.Insights/logs/AzureDiagnostics/read"
"""the permission"""

STARTED = "Started"
SUCCEEDED = "Succeeded"
ACCEPTED = "Accepted"
FAILED = "Failed"
REFUSED = "Refused"
"""no credential, no right, or the state of things forbids it: 401, 403, 409"""


class AuditEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that happened. Never a key, a token, a prompt or a body; unknown is 0 or ""."""

    at: str
    """ISO 8601, UTC, microseconds"""
    category: str
    action: str
    """as roles name it: `Microsoft.CognitiveServices/accounts/write`"""
    outcome: str
    """Started, Succeeded, Accepted, Failed or Refused"""
    status: int = 0
    """of HTTP; 0 where there was no answer (yet)"""
    code: str = ""
    """the error's code"""
    resource_id: str = ""
    principal: str = ""
    """for people: a user's name, an application's id, a key's name"""
    principal_kind: str = ""
    """User, ServicePrincipal or Key"""
    object_id: str = ""
    app_id: str = ""
    credential: str = ""
    """what showed who calls: `key1`, `management-key`, `token`, `process`; "" for nothing"""
    issuer: str = ""
    token_id: str = ""
    address: str = ""
    decided_by: str = ""
    """the rule's id: a role assignment's, or `key`; of a refusal, the control that refused"""
    request_id: str = ""
    """`x-ms-request-id` or `apim-request-id` of the answer"""
    correlation_id: str = ""
    details: dict[str, str | int] = {}


class AuditEntry(msgspec.Struct, frozen=True):
    """An event in its place in the chain."""

    seq: int
    """1, 2, 3, … without gaps"""
    body: bytes
    """the event's canonical bytes"""
    hash: bytes
    """over the hash before it, `seq` and `body`"""


class Checkpoint(msgspec.Struct, frozen=True):
    """A signed statement: at `seq` the chain had arrived at `hash`."""

    seq: int
    """0 for the beginning"""
    hash: bytes
    at: str
    kind: str
    """`count`, `time`, `start`, `stop`, `asked`; or `prune`: what lies up to `seq` was removed"""
    signature: bytes


class AuditQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which entries are wanted; what is empty matches all."""

    since: str = ""
    until: str = ""
    category: str = ""
    categories: frozenset[str] = frozenset(CATEGORIES)
    """none but of these"""
    principal: str = ""
    under: str = ""
    """a resource's id: it and all below it"""
    request_id: str = ""
    correlation_id: str = ""
    before_seq: int = 0
    """only earlier ones than this; 0 for all"""
    after_seq: int | None = None
    """only later ones than this, the oldest first; None: the newest first"""
    limit: int = 200


class AuditTail(msgspec.Struct, frozen=True):
    """Where a log ends."""

    checkpoint: Checkpoint | None
    """the last one; None in a log that has none"""
    entries: Sequence[AuditEntry]
    """those after it, in their order"""


class AuditStore(Protocol):
    """Keeps entries and checkpoints. What it has taken it changes never again."""

    async def append(self, entries: Sequence[AuditEntry], checkpoint: Checkpoint | None) -> None:
        """Keep all of it or nothing; it is on disk when this returns.

        Raises ServiceUnavailable when it can't be written.
        """
        ...

    async def tail(self) -> AuditTail:
        """The end of the log."""
        ...

    async def read(self, query: AuditQuery) -> list[AuditEntry]:
        """Those that match, the newest first unless `after_seq` is set.

        Names and ids are compared without case.
        """
        ...

    async def before(self, at: str) -> AuditEntry | None:
        """The newest entry of all that lie before the first one that is as young as `at`."""
        ...

    async def prune(self, checkpoint: Checkpoint) -> int:
        """Remove all entries up to a checkpoint's, which it keeps; how many there were."""
        ...

    async def close(self) -> None:
        """Let go of the file."""
        ...


class AuditTrail(Protocol):
    """Where events are handed in."""

    async def record(self, event: AuditEvent) -> None:
        """Take an event; it is on disk when this returns.

        Raises AuditUnavailable when it can't be written, unless settings say to go on without.
        """
        ...

    async def read(self, query: AuditQuery) -> list[AuditEntry]:
        """Entries that match, the newest first. Raises ServiceUnavailable."""
        ...

    async def anchor(self) -> tuple[Checkpoint, bytes]:
        """The log's end, signed now, and the public key. Raises AuditUnavailable."""
        ...

    def note(self, event: AuditEvent) -> None:
        """Take an event that is on disk soon; of a flood, only the number. Never blocks."""
        ...

    def note_management_key(self, address: str, request_id: str) -> None:
        """A management key was used from an address: an event the first time, and again later.

        Settings say how much later. Never blocks.
        """
        ...
