"""Chat over documents (`data_sources`): what is asked becomes a question with documents before it.

Source: learn.microsoft.com, "Azure OpenAI On Your Data" and its API reference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from linarite.dataplane.api_versions import V1, versions_since
from linarite.dataplane.call import Unready
from linarite.dataplane.operations.chat_completions.data_sources import read_source
from linarite.dataplane.operations.chat_completions.grounded_reply import (
    GroundedReply,
    NothingFound,
    context_of,
)
from linarite.dataplane.operations.chat_completions.prompt import fitted, with_documents
from linarite.dataplane.operations.chat_completions.storing import ToBeStored, to_be_stored
from linarite.dataplane.parts.decode import unrecognized
from linarite.domain.data_source_errors import DataSourceRefused
from linarite.knowledge.asker import Asker

if TYPE_CHECKING:
    from linarite.dataplane.call import Call, OperationKit
    from linarite.domain.chat import ChatAsk
    from linarite.domain.data_source import SearchParameters
    from linarite.domain.facts import Deployment, Facts

VERSIONS = versions_since("2024-02-01", "2024-02-15-preview") | V1
NO_TOOLS = "none"


def over_documents(
    call: Call, ask: ChatAsk, facts: Facts, kit: OperationKit
) -> ChatAsk | ToBeStored | Grounding:
    """The ask, once its documents are found. Raises InvalidRequest, DataSourceInvalid.

    With tools that may be called there are no documents, as on Azure ("Function calling").
    """
    if not call.v1 and call.api_version not in VERSIONS:
        raise unrecognized("data_sources")
    try:
        said = read_source(ask, ask.data_sources or ())
    except DataSourceRefused as refused:
        raise refused.told_to(call.request_id) from None
    served = msgspec.structs.replace(ask, data_sources=None)
    if ask.tools and ask.tool_choice != NO_TOOLS:
        return to_be_stored(call, served, facts) if ask.store else served
    assert call.deployment is not None  # noqa: S101 - as `parse` has just set it
    call.reply = reply = GroundedReply(served, call.deployment)
    bare = msgspec.structs.replace(served, tools=None, tool_choice=None)
    storing = to_be_stored(call, ask, facts) if ask.store else None
    return Grounding(call, bare, said, kit, (reply, storing, call.deployment))


class Grounding(Unready):
    """A question whose documents are still to be found."""

    costs = True

    def __init__(
        self,
        call: Call,
        ask: ChatAsk,
        said: SearchParameters,
        kit: OperationKit,
        answering: tuple[GroundedReply, ToBeStored | None, Deployment],
    ) -> None:
        """`answering`: how it is told, whether it is kept, and who answers."""
        self._call = call
        self._ask = ask
        self._said = said
        self._kit = kit
        self._reply, self._storing, self._deployment = answering

    async def made_ready(self) -> ChatAsk | ToBeStored | NothingFound:
        """See Unready. Raises DataSourceRefused, and what DocumentFinder does."""
        call, said, finder = self._call, self._said, self._kit.documents
        assert call.principal is not None  # noqa: S101 - whoever asks has been let in
        asker = Asker(
            account_id=call.account_id,
            principal=call.principal,
            sees=self._kit.files.seen_by(call.principal),
            deployment=self._deployment.name,
            host=call.headers.get(b"host", b"").decode("latin-1").lower(),
        )
        try:
            queries = await finder.queries(asker, said, self._ask.messages)
            retrieved = await finder.find(asker, said, queries)
        except DataSourceRefused as refused:
            raise refused.told_to(call.request_id) from None
        capabilities = self._kit.capabilities_of(self._deployment.instance)
        context_tokens = capabilities.context_tokens if capabilities is not None else 0
        retrieved = fitted(retrieved, self._ask, said, context_tokens)
        asked = with_documents(self._ask, said, retrieved.told)
        served: ChatAsk | NothingFound = asked
        if not retrieved.told and said.in_scope is not False:
            served = NothingFound(self._ask)
            asked = self._ask
        self._reply.ground(asked, context_of(retrieved, queries, said.include_contexts))
        if self._storing is None:
            return served
        if not isinstance(served, NothingFound):
            served = msgspec.structs.replace(served, store=None, metadata=None)
        return msgspec.structs.replace(self._storing, served=served)
