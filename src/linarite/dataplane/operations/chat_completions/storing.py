"""Storing an answered chat (`store: true`): before its end is told, so that it is kept by then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from linarite.dataplane.call import Call
from linarite.dataplane.operations.chat_completions.grounded_reply import NothingFound
from linarite.dataplane.operations.chat_completions.reply import ChatReply
from linarite.domain.chat import ChatAsk
from linarite.domain.stored_completion_errors import CompletionsNotKept
from linarite.files.completions import NewCompletion
from linarite.files.keeper import owner_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from linarite.domain.chat import ChatEvent
    from linarite.domain.facts import Facts
    from linarite.files.completions import CompletionKeeper

ASKED = (
    "temperature",
    "top_p",
    "presence_penalty",
    "frequency_penalty",
    "seed",
    "tools",
    "tool_choice",
    "response_format",
)
"""what is shown again of a request, null where it said nothing"""


class ToBeStored(msgspec.Struct, frozen=True):
    """A chat whose answer is stored."""

    call: Call
    ask: ChatAsk
    served: ChatAsk | NothingFound
    """what an engine is asked: an upstream does not store it a second time"""
    reply: ChatReply


def to_be_stored(call: Call, ask: ChatAsk, facts: Facts) -> ToBeStored:
    """Raises CompletionsNotKept where the account wants none."""
    if facts.account.stored_completions_disabled:
        raise CompletionsNotKept(
            "the account stores no completions (properties.storedCompletionsDisabled)"
        )
    assert isinstance(call.reply, ChatReply)  # noqa: S101 - as `parse` has just set it
    served = msgspec.structs.replace(ask, store=None, metadata=None)
    return ToBeStored(call, ask, served, call.reply)


async def stored(
    asked: ToBeStored, events: AsyncGenerator[ChatEvent, None], keeper: CompletionKeeper
) -> AsyncGenerator[ChatEvent, None]:
    """The events; they end once the answer is stored.

    What broke off is not stored. Raises CompletionsNotKept, CompletionsAreFull with the first.
    """
    call = asked.call
    await keeper.require_room(call.account_id)
    whole = asked.reply.folding()
    try:
        async for event in events:
            whole.add(event)
            yield event
    finally:
        await events.aclose()
    await keeper.keep(_completion(asked, msgspec.json.decode(whole.body(), type=dict[str, Any])))


def _completion(asked: ToBeStored, answer: dict[str, Any]) -> NewCompletion:
    call, ask = asked.call, msgspec.to_builtins(asked.ask)
    told = {name: ask.get(name) for name in ASKED}
    return NewCompletion(
        account_id=call.account_id,
        owner=owner_of(call.principal),
        id=answer["id"],
        deployment=call.deployment.name if call.deployment is not None else "",
        answer=answer,
        messages=ask["messages"],
        asked=told | {"input_user": ask.get("user"), "request_id": call.request_id},
        metadata=ask.get("metadata") or {},
    )
