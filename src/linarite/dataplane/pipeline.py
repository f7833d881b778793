"""The path of every request. The order of the controls is here and nowhere else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from linarite.controls.authenticate.bearer import access_token
from linarite.controls.quota import Limiter
from linarite.dataplane.batch_door import let_in_again
from linarite.dataplane.call import Call, Unready
from linarite.dataplane.certificate_door import holder_of
from linarite.dataplane.content_notes import OF_MODELS, ContentNotes
from linarite.dataplane.entrance import facts_for, past_the_rules
from linarite.dataplane.exact_prompt import count_prompt
from linarite.dataplane.facts import FactsBook
from linarite.dataplane.key_door import KeyDoor, key_holder
from linarite.dataplane.priority_ramp import PriorityRamp
from linarite.dataplane.rationing import rationed
from linarite.dataplane.service_tiers import choose_tier
from linarite.dataplane.spillover import not_counted_yet, spill_over
from linarite.dataplane.subjects import tell_subjects, usage_buckets
from linarite.dataplane.token_door import TokenDoor
from linarite.dataplane.unanswered import made_ready, without_model
from linarite.domain.client_certificate import CertificateHolders, NoHolders
from linarite.domain.customer_keys import CustomerKeyUnavailable
from linarite.domain.engine import ON_BEHALF_OF
from linarite.domain.errors import InvalidKey, LinariteError
from linarite.domain.facts import Deployment, Facts
from linarite.domain.ledger import Bucket
from linarite.domain.network_errors import NetworkDenied
from linarite.domain.quota_errors import RateLimitReached
from linarite.domain.usage import Usage

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from linarite.dataplane.call import Operation, Reply
    from linarite.domain.engine import Slot
    from linarite.domain.service_tier import Rank


LARGE_BODY_BYTES = 512 * 1024
"""some milliseconds of reading and checking"""
ABSENT = frozenset((HTTPStatus.NOT_FOUND, HTTPStatus.GONE))
"""refusals that tell which deployments and models there are"""


class Place(Protocol):
    """Where one request may run: taken at once or waited for, and then left."""

    def take(self) -> Slot | None:
        """A slot, if one is free and nobody waits before."""
        ...

    async def enter(self) -> Slot:
        """A slot, after the instance's bounded queue.

        Raises ServiceUnavailable when the queue is full or the instance can't serve; in the tier
        flex NoFlexCapacity or RequestTimedOut.
        """
        ...

    def leave(self) -> None:
        """Give the slot back, unless that has been done; it can be entered again."""
        ...


class Host(Protocol):
    """Where instances run, as the pipeline needs it."""

    def slot(self, instance: str, rank: Rank, account: str, asked: Reply) -> Place:
        """A place on the instance of that name, in a class of its queue, in turn with accounts.

        Raises ServiceUnavailable when there is none.
        """
        ...


def no_price(where: Deployment | None, tier: str, usage: Usage) -> int:
    """Nothing costs anything."""
    del where, tier, usage
    return 0


class Surface(msgspec.Struct, frozen=True):
    """What the pipeline works on."""

    facts: FactsBook
    digest: Callable[[str], bytes]
    """the digest a presented key would have"""
    host: Host
    limiter: Limiter
    door: TokenDoor
    """lets in who shows an access token instead of a key"""
    key_door: KeyDoor
    """lets in who shows a key that one application was given"""
    holders: CertificateHolders = NoHolders()
    """tell who shows nothing but a client certificate"""
    buckets_for: Callable[[Call, Facts], Sequence[Bucket]] = usage_buckets
    """the limits that hold for a call beside its deployment's rate, each at most once"""
    cost_of: Callable[[Deployment | None, str, Usage], int] = no_price
    """what a call costs that a deployment serves in a tier and that uses so much, in billionths of
    the price book's currency; it knows of no call: the call's lease holds it"""
    ramp: PriorityRamp | None = None
    """takes priority back from deployments whose traffic grows too fast; None: nothing does"""


async def serve(  # noqa: C901, PLR0912 - the order of the controls is in one place
    call: Call, found: Operation | LinariteError, on: Surface
) -> AsyncGenerator[Any, None]:
    """Admit a call and yield the events of its answer.

    `call.reply` is set before the first event. Whoever iterates must `aclose` this generator
    itself, and must not put a task group or a timeout around its iteration: leaving it, however
    we leave, is what frees the engine.
    """
    facts, door = await let_in(call, found, on)  # 404, 403, 401, 400
    ON_BEHALF_OF.set(facts.account.id)
    call.facts = facts
    call.account = facts.account.name
    if isinstance(found, LinariteError):
        raise found  # 404, 405: told only to those who hold a key
    ask = await understood(call, found, door, on)  # 408, 413, 415; 400, 404, 401, 429; typed now
    if call.deployment is None:
        async for event in without_model(call, found, ask, on):  # 429
            yield event
        return
    where, reply, began = call.deployment, call.reply, False
    assert reply is not None  # noqa: S101 - every operation's parse sets it
    while True:  # once; a second time where a provisioned deployment spills over
        try:
            tell_subjects(call, facts, where)  # 400
            rank = choose_tier(call, where, reply, on.ramp)  # 400
            further = not_counted_yet(on.buckets_for(call, facts), call.spilled)
            asked = (where, reply, further, partial(on.cost_of, where, call.service_tier))
            try:  # 429 with Retry-After and a reason
                call.lease = on.limiter.reserve_now(*asked) or await on.limiter.reserve(*asked)
            except RateLimitReached as refused:
                queue = on.host.slot(where.instance, rank, facts.account.id, reply)  # 503
                await count_prompt(refused, reply, queue)  # or the same refusal
                call.lease = await on.limiter.reserve(*asked)
            if call.trace is not None:
                call.trace.mark("reserve quota")
            with call.lease:
                place = on.host.slot(where.instance, rank, facts.account.id, reply)  # 503
                slot = place.take() or await place.enter()  # 503, 408, 429 with Retry-After
                if call.trace is not None:
                    call.trace.mark("queue")
                call.lease.begun = True
                call.place = place
                try:
                    events = found.run(ask, rationed(slot, call))
                    try:
                        async for event in events:
                            began = True
                            yield event
                    finally:
                        await events.aclose()
                finally:
                    place.leave()
        except LinariteError as problem:
            if began:
                raise
            where = spill_over(call, found, problem, facts, door)  # or the same problem
        else:
            return


async def let_in(
    call: Call, found: Operation | LinariteError, on: Surface
) -> tuple[Facts, TokenDoor | KeyDoor | None]:
    """The account's facts for whoever may come in, and the door that knows what else they may.

    The door is None for Azure's two keys, which open everything.
    """
    if call.maker is not None:
        return let_in_again(call, found, on)  # 403, 401: who was let in when he made a batch
    try:
        reached = facts_for(call, on)  # 404, 403: before any credential is read
    except NetworkDenied as denied:
        reached = await past_the_rules(call, denied, on)  # the same, but to trusted services
    if reached is not None and reached.account.lacks_key:
        call.account_id = reached.account.id
        raise CustomerKeyUnavailable(reached.account.lacks_key)  # 403
    token = access_token(call.headers)
    known = holder_of(call, on.holders) if call.certificate is not None else None
    if token is None and known is None:
        if reached is None:
            raise InvalidKey  # as a wrong key does: accounts can't be probed
        facts = reached
        call.account_id = facts.account.id
        call.principal = key_holder(call, facts.account, on.digest)  # 401, 403
        if call.principal.terms is not None:
            on.key_door.admit(call, found, facts)  # 401: expiry, roles
        return facts, on.key_door if call.principal.terms else None
    if token is not None:
        known = on.door.known(token) or await on.door.recognise(token)  # 401, 400
    call.principal = known
    return on.door.admit(call, found, reached), on.door  # 401, 400; roles


async def understood(
    call: Call, found: Operation, door: TokenDoor | KeyDoor | None, on: Surface
) -> Any:  # noqa: ANN401 - each operation has its own ask
    """What is asked, of whoever may ask it of that deployment; `door` None for Azure's two keys."""
    facts, trace = call.facts, call.trace
    assert facts is not None  # noqa: S101 - who calls has been let in
    if trace is not None:
        trace.mark("authorize")
    body = await call.body.read() if found.reads_body else b""
    if facts.content_logging is not None and found.name in OF_MODELS:
        call.content = ContentNotes(facts.content_logging, body)
    try:
        if len(body) <= LARGE_BODY_BYTES:
            ask = found.parse(call, body, facts)
        else:  # the same, where it does not keep all others waiting
            ask = await asyncio.to_thread(found.parse, call, body, facts)
    except LinariteError as problem:
        if door is not None and problem.status in ABSENT:
            door.admit_to_deployment(call, found)  # what is there is told to who may use it
        raise
    if door is not None:
        door.admit_to_deployment(call, found)
    if isinstance(ask, Unready):
        ask = await made_ready(ask, call, facts, on)  # 429; 400, 404
    if call.content is not None and call.reply is not None:
        call.reply = call.content.follow(found.name, call.reply)
    if trace is not None:
        trace.mark("parse")
    return ask
