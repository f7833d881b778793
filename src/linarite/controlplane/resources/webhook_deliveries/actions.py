"""Seeing deliveries to webhooks, dead ones above all, and having one made again. Azure has none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from linarite.controlplane.request import Answer
from linarite.controlplane.stocktaking import require_subscription
from linarite.domain.arm_errors import ArmError, bad_request
from linarite.domain.outbox import LetterState, OutboxQuery

if TYPE_CHECKING:
    from linarite.controlplane.request import ArmRequest, Target
    from linarite.controlplane.surface import Surface
    from linarite.domain.outbox import Letter

TYPE = "Linarite.Operations/webhookDeliveries"
SHOWN_MAX = 1_000
STATES: tuple[str, ...] = get_args(LetterState)


async def list_deliveries(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """The newest first, a thousand at most; `state` and `account` (an id) narrow it."""
    require_subscription(surface, target)
    state = request.query.get("state", "").capitalize()
    if state not in ("", *STATES):
        raise bad_request(
            "BadRequest", f"'{state[:60]}' is no state; there are: {', '.join(STATES)}."
        )
    query = OutboxQuery(state=state, account_id=request.query.get("account", ""), limit=SHOWN_MAX)
    return Answer(200, {"value": [shown(each) for each in await surface.outbox.read(query)]})


async def send_again(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """Begin anew with one that has ended."""
    del request
    require_subscription(surface, target)
    found = await surface.outbox.read(OutboxQuery(id=target["delivery"]))
    if not found:
        raise ArmError(
            404, "ResourceNotFound", f"There is no delivery '{target['delivery'][:60]}'."
        )
    if found[0].state == "Waiting":
        raise ArmError(409, "Conflict", "The delivery waits: it is attempted by itself.")
    return Answer(200, shown(await surface.outbox.send_again(found[0])))


def shown(letter: Letter) -> dict[str, Any]:
    """One of them; what was said in it is for its receiver."""
    return {
        "id": letter.id,
        "destination": letter.destination,
        "type": letter.type,
        "accountId": letter.account_id,
        "state": letter.state,
        "attempts": letter.attempts,
        "outcome": letter.outcome,
        "madeAt": letter.made_at,
        "dueAt" if letter.state == "Waiting" else "endedAt": letter.due_at,
    }
