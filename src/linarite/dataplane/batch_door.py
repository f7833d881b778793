"""Lines of batches: whoever made the batch was let in then; what he may do is asked again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from linarite.domain.batch_errors import AccountGone
from linarite.domain.customer_keys import CustomerKeyUnavailable
from linarite.domain.errors import InvalidKey, KeyAuthenticationDisabled, LinariteError
from linarite.domain.service_tier import BATCH, Rank

if TYPE_CHECKING:
    from linarite.dataplane.call import Call, Operation
    from linarite.dataplane.key_door import KeyDoor
    from linarite.dataplane.pipeline import Surface
    from linarite.dataplane.token_door import TokenDoor
    from linarite.domain.facts import Deployment, Facts
    from linarite.domain.principal import Principal


def let_in_again(
    call: Call, found: Operation | LinariteError, on: Surface
) -> tuple[Facts, TokenDoor | KeyDoor | None]:
    """As `pipeline.let_in`, for what was asked for before: the network was asked then.

    Deployments serve a line of a batch in the class of batches. Raises AccountGone,
    CustomerKeyUnavailable, KeyAuthenticationDisabled where keys are off now, InvalidKey for an
    application's key that there is no more, TokenRefused for who has gone from the directory, and
    what the doors raise.
    """
    facts = on.facts.find_by_id(call.account_id)
    maker = call.maker
    assert maker is not None  # noqa: S101 - the pipeline asks for such calls alone
    if facts is None:
        raise AccountGone
    if facts.account.lacks_key:
        raise CustomerKeyUnavailable(facts.account.lacks_key)
    call.account = facts.account.name
    served = facts
    if call.in_batch:
        served = msgspec.structs.replace(facts, deployments=facts.for_batches)
    call.principal = maker
    if maker.is_key and facts.account.local_auth_disabled:
        raise KeyAuthenticationDisabled
    if maker.opens_all:
        return served, None
    if maker.is_key:
        call.principal = _as_it_is_now(maker, facts)
        on.key_door.admit(call, found, facts)
        return served, on.key_door
    call.principal = on.door.as_it_is_now(maker)
    on.door.admit(call, found, facts)
    return served, on.door


def _as_it_is_now(maker: Principal, facts: Facts) -> Principal:
    """An application's key with the terms that it has now."""
    for holder in facts.account.application_keys.values():
        if holder.resource_id.lower() == maker.resource_id.lower():
            return holder
    told = f"The key '{maker.name}', with which it was asked for, was deleted."
    raise InvalidKey({"code": "KeyDeleted", "message": told})


def as_batches(deployments: dict[str, Deployment]) -> dict[str, Deployment]:
    """Deployments as lines of batches see them: behind all others, at the price of batches.

    Those of a batch's SKU keep no rate: their quota is of enqueued tokens.
    """
    return {
        name: msgspec.structs.replace(
            each,
            rank=Rank.BATCH,
            service_tier=BATCH,
            limits=None if each.sku.batch else each.limits,
            spillover="",
        )
        for name, each in deployments.items()
    }
