"""May somebody do something: the question, the answer, and the port that answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from linarite.domain.principal import Principal

NO_ASSIGNMENT = "no assignment"
BY_KEY = "key"


class Decision(msgspec.Struct, frozen=True):
    """Whether something may be done, and what decided it."""

    allowed: bool
    rule: str
    """what decided: the id of a role assignment, a deny assignment or a lock; `key`; or
    `no assignment`"""
    reason: str = ""
    """for people: which role, at which scope; of a refusal, what would have to change"""


ALLOWED_BY_KEY = Decision(allowed=True, rule=BY_KEY)


class Access(Protocol):
    """Decides by roles. Pure memory: it follows every change of roles before its writer goes on."""

    def decide(
        self,
        principal: Principal,
        action: str,
        scope: str,
        *,
        is_data: bool = False,
        attributes: Mapping[str, tuple[str, ...]] | None = None,
    ) -> Decision:
        """Whether `principal` may do `action` at `scope`, an ARM id.

        `is_data`: the action is a data action (`…/OpenAI/deployments/chat/completions/action`).
        `attributes`: what conditions of role assignments may ask of the request and the resource,
        as `@request[microsoft.authorization/roleassignments:roledefinitionid]`. Whoever holds a
        key may do all that the key is for; an application's key, what its one role grants.
        """
        ...

    def reaches_into(
        self, principal: Principal, action: str, scope: str, *, is_data: bool = False
    ) -> bool:
        """Whether it would be allowed at `scope` or somewhere below it."""
        ...

    def has_part_in(self, principal: Principal, scope: str) -> bool:
        """Whether it has any role at `scope`, around it or below it."""
        ...

    def permissions_at(self, principal: Principal, scope: str) -> Sequence[Mapping[str, object]]:
        """What its roles grant at `scope`: actions, notActions and so on of each permission."""
        ...

    def locked(self, scope: str, *, deleting: bool) -> Sequence[str]:
        """The scopes whose locks forbid changing, or deleting, what is at `scope`."""
        ...
