"""May somebody do something: the question, the answer, and the port that answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec

if TYPE_CHECKING:
    from linarite.domain.principal import Principal


class Decision(msgspec.Struct, frozen=True):
    """Whether something may be done, and what decided it."""

    allowed: bool
    rule: str
    """what decided: the id of a role assignment, a deny assignment or a lock; `key`; or
    `no assignment`"""
    reason: str = ""
    """for people: which role, at which scope; of a refusal, what would have to change"""


class Access(Protocol):
    """Decides by roles. Pure memory: it follows every change of roles before its writer goes on."""

    def decide(
        self, principal: Principal, action: str, scope: str, *, is_data: bool = False
    ) -> Decision:
        """Whether `principal` may do `action` at `scope`, an ARM id.

        `is_data`: the action is a data action (`…/OpenAI/deployments/chat/completions/action`).
        Whoever holds a key may do all that the key is for.
        """
        ...

    def reaches_into(
        self, principal: Principal, action: str, scope: str, *, is_data: bool = False
    ) -> bool:
        """Whether it would be allowed at `scope` or somewhere below it."""
        ...
