"""From a request to what a model is asked: with what was said before, and what was stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from linarite.dataplane.call import Unready
from linarite.dataplane.operations.responses.approvals import has_requests, read_approvals, renamed
from linarite.dataplane.operations.responses.ask import REASONING, RESULTS, ResponseAsk
from linarite.dataplane.operations.responses.compaction import as_message, opened
from linarite.dataplane.operations.responses.file_texts import FILE, with_texts
from linarite.dataplane.operations.responses.hosted_calls import HostedCalls, Hosting
from linarite.dataplane.operations.responses.hosted_messages import question_in, tools_listed
from linarite.dataplane.operations.responses.messages import (
    AS_SAID,
    OUTPUTS,
    messages_of,
)
from linarite.dataplane.operations.responses.stored_files import StoredFiles
from linarite.dataplane.operations.responses.tools import NO_HOSTED
from linarite.dataplane.parts.checks import too_long
from linarite.dataplane.parts.prompt_sizes import prompt_tokens
from linarite.dataplane.parts.response_items import ITEMS_MAX
from linarite.dataplane.subjects import PROJECT_HEADER
from linarite.domain.chat import ChatAsk, JsonSchemaFormat, ResponseFormat, StreamOptions
from linarite.domain.errors import InvalidRequest, ServiceUnavailable, SetupError
from linarite.domain.response_errors import (
    DuplicateItem,
    EncryptedContentInvalid,
    NoSuchConversation,
    PreviousResponseNotFound,
    ReferenceNotFound,
)
from linarite.domain.vector_store_errors import NoSuchVectorStore
from linarite.files.keeper import owner_of
from linarite.responses.background import RUN, SEALED_BODY, UNFINISHED, sealed_name
from linarite.responses.keeper import ENDED, NewResponse, items_of, response_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from linarite.dataplane.call import Call, OperationKit
    from linarite.dataplane.operations.responses.answer import Answer
    from linarite.dataplane.operations.responses.ask import Format
    from linarite.dataplane.operations.responses.hosted_messages import HostedReader
    from linarite.dataplane.operations.responses.hosted_tools import FileSearch
    from linarite.dataplane.operations.responses.keeping import Keeping
    from linarite.dataplane.operations.responses.tools import AskedTools
    from linarite.dataplane.parts.response_items import Item, ItemIds
    from linarite.domain.secret_box import SecretBox
    from linarite.domain.stored_object import StoredObject

SEALED_FOR = "reasoning of a response"


class Ready(NamedTuple):
    """What a model is asked, and what is kept of it."""

    chat: ChatAsk
    answer: Answer
    call: Call
    new: NewResponse | None
    """None where nothing is kept"""
    conversation: StoredObject | None
    said: list[Item]
    """of the input, what the conversation does not have yet"""
    keeping: Keeping
    hosted: HostedCalls | None
    """what carries out tools of ours; None where there are none"""
    items: list[Item]
    """all that has been said, as a model can read it"""
    instructions: str | None
    new_id: Callable[[str], str]


class Queued(NamedTuple):
    """A response that is to be made in the background."""

    made: StoredObject
    answer: Answer
    streamed: bool


class Request(NamedTuple):
    """What the body says."""

    ask: ResponseAsk
    tools: AskedTools
    items: list[Item]
    """the input"""
    ids: ItemIds
    prompt: Sequence[Item] = ()
    """messages of a prompt: they stand before everything, and are not kept"""


class Asked(Unready):
    """A request that was understood; what it goes on from is still to be read."""

    def __init__(
        self,
        call: Call,
        kit: OperationKit,
        request: Request,
        answer: Answer,
        keeping: Keeping,
        body: str = "",
    ) -> None:
        """`body` is what is to be made in the background; "" for what is made now."""
        self._body = body
        self._keeping = keeping
        self._call = call
        self._kit = kit
        self._request = request
        self._answer = answer
        self._sees = kit.files.seen_by(call.principal)
        self.items: list[Item] = []
        """everything that it goes on from and its input, once it has been made ready"""
        self._kept: list[Item] = []
        """messages that stand before all others, from items in which they were made short"""
        self._renamed: dict[str, str] = {}
        """ids by which items were named → those that they have in this input"""
        self._referred: dict[str, dict[str, Item]] = {}
        """responses of which items are named, with their items by id"""
        self._stored = StoredFiles(kit.files, call.account_id, self._sees)

    @property
    def in_background(self) -> bool:
        """Whether nobody waits for it."""
        return bool(self._body)

    async def made_ready(self) -> Ready | Queued:
        """See Unready."""
        ask, call, answer = self._request.ask, self._call, self._answer
        earlier: list[Item] = []
        before: list[str] = []
        conversation = None
        if ask.stored:  # before a model is asked: what is answered in vain costs as much
            await self._kit.files.room.require(call.account_id)
        if ask.previous_response_id:
            found = await self._previous(ask.previous_response_id)
            earlier = await self._kit.responses.context_of(found, self._sees)
            before = [*found.body["before"], found.id]
        elif ask.conversation_id:
            conversation = await self._conversation(ask.conversation_id)
            earlier = await self._kit.conversations.all_items(conversation, ITEMS_MAX)
        known = {each["id"]: each for each in earlier}
        items = [await self._meant(each, known) for each in self._references_once()]
        if self._renamed:
            items = renamed(items, self._renamed)
        if len(earlier) + len(items) > ITEMS_MAX:
            raise too_long("input", ITEMS_MAX, len(earlier) + len(items))
        self._kept += [await self._readable(each) for each in self._request.prompt]
        self.items = [*earlier, *items]
        readable = [await self._readable(each) for each in self.items]
        everything = [*self._kept, *readable]
        hosted = await self._hosted(earlier, items)
        chat = self._chat(everything, AS_SAID if hosted is None else hosted.reader())
        answer.prompt, answer.prompt_tokens = chat, prompt_tokens(chat)
        if ask.includes(REASONING):
            answer.seal = await self._sealing()
        new = None
        if ask.stored:
            new = NewResponse(
                account_id=call.account_id,
                owner=owner_of(call.principal),
                response=answer.response,
                input=items,
                before=before,
            )
            if self._body:
                return await self._queued(new)
        said = [each for each in items if each["id"] not in known]
        return Ready(
            chat,
            answer,
            call,
            new,
            conversation,
            said,
            self._keeping,
            hosted,
            everything,
            ask.instructions,
            self._request.ids.new,
        )

    async def _hosted(self, earlier: list[Item], items: list[Item]) -> HostedCalls | None:
        """What carries out the request's hosted tools. Raises InvalidRequest, NoSuchVectorStore."""
        ask, tools = self._request.ask, self._request.tools
        if tools.hosted == NO_HOSTED and not has_requests(earlier) and not has_requests(items):
            return None
        approvals = read_approvals(earlier, items, tools.hosted.labels)
        if tools.hosted == NO_HOSTED and not approvals.refused:
            return None
        return HostedCalls(
            Hosting(
                call=self._call,
                kit=self._kit,
                tools=tools,
                stores=await self._stores(tools.hosted.file_search),
                listed=tools_listed([*earlier, *items]),
                approvals=approvals,
                question=question_in(items),
                calls_max=ask.max_tool_calls,
                parallel=ask.parallel_tool_calls,
                shows_results=ask.includes(RESULTS),
                cites=ask.text is None or ask.text.format is None or ask.text.format.type == "text",
            )
        )

    async def _stores(self, search: FileSearch | None) -> list[StoredObject]:
        """The vector stores that are searched; one of somebody else's is as one that is absent."""
        keeper, call = self._kit.vector_stores, self._call
        found: list[StoredObject] = []
        if search is not None and call.principal is not None:
            self._kit.vector_search.require_reader(call.account_id, call.principal)  # 401
        for store_id in dict.fromkeys(search.vector_store_ids if search is not None else ()):
            store = await keeper.find(call.account_id, store_id, self._sees)
            if store is None:
                raise NoSuchVectorStore(store_id)
            keeper.require_live(store)
            found.append(store)
        return found

    async def _queued(self, new: NewResponse) -> Queued:
        """It as it waits: no deployment answers now."""
        call, streamed = self._call, bool(self._request.ask.stream)
        call.deployment = None
        run = {
            **await self._kept_body(new.response["id"]),
            "maker": msgspec.to_builtins(call.principal),
            "project": call.headers.get(PROJECT_HEADER, b"").decode("latin-1"),
            "attempts": 0,
        }
        made = self._kit.responses.made(new)
        body = made.body | {"streamed": streamed, RUN: run}
        queued = msgspec.structs.replace(made, label=UNFINISHED, body=body)
        return Queued(queued, self._answer, streamed)

    async def _kept_body(self, response_id: str) -> dict[str, str]:
        """The request as it waits: sealed where it has secrets of MCP servers in it."""
        if not self._request.tools.hosted.has_secrets:
            return {"body": self._body}
        box = await self._kit.box_of(self._call.account_id)
        if box is None:
            raise ServiceUnavailable("the account has no key to seal the request with")
        return {SEALED_BODY: box.seal(sealed_name(response_id), self._body.encode())}

    async def _previous(self, response_id: str) -> StoredObject:
        found = await self._kit.responses.find(self._call.account_id, response_id, self._sees)
        if found is None:
            raise PreviousResponseNotFound(response_id)
        status = found.body["response"]["status"]
        if status not in ENDED:
            raise InvalidRequest(
                f"The response '{response_id}' is {status}; only one that was completed can be "
                "gone on from.",
                param="previous_response_id",
                code="invalid_value",
            )
        return found

    async def _conversation(self, conversation_id: str) -> StoredObject:
        keeper = self._kit.conversations
        found = await keeper.find(self._call.account_id, conversation_id, self._sees)
        if found is None:
            raise NoSuchConversation(conversation_id)
        return found

    def _references_once(self) -> list[Item]:
        """The input. Raises DuplicateItem where it names an item twice."""
        named: set[str] = set()
        for each in self._request.items:
            if each["type"] == "item_reference":
                if each["id"] in named:
                    raise DuplicateItem(each["id"])
                named.add(each["id"])
        return self._request.items

    async def _meant(self, item: Item, known: dict[str, Item]) -> Item:
        """The item that a reference means; any other as it is."""
        if item["type"] != "item_reference":
            return item
        wanted = item["id"]
        if wanted in known:
            return known[wanted]
        source = response_of(wanted)
        if source not in self._referred:  # each is read once, however many of its items are named
            keeper = self._kit.responses
            found = await keeper.find(self._call.account_id, source, self._sees)
            items = () if found is None else items_of(found)
            self._referred[source] = {each["id"]: each for each in items}
        meant = self._referred[source].get(wanted)
        if meant is None:
            raise ReferenceNotFound(wanted)
        named = self._renamed[wanted] = self._request.ids.new(wanted.partition("_")[0])
        return meant | {"id": named}

    async def box(self) -> SecretBox | None:
        """What seals for the account; None where it has no keys."""
        return await self._kit.box_of(self._call.account_id)

    async def _sealing(self) -> Callable[[str], str] | None:
        """What seals what is thought, so that only this account's endpoint can read it."""
        box = await self.box()
        return None if box is None else lambda thought: box.seal(SEALED_FOR, thought.encode())

    async def _readable(self, item: Item) -> Item:
        """The item as a model can read it: unsealed, and with the bytes of stored files."""
        if item["type"] == "reasoning" and item.get("encrypted_content"):
            return item | {"content": await self._unsealed(item)}
        if item["type"] == "compaction":
            compacted = opened(await self.box(), item["encrypted_content"])
            self._kept += [await self._readable(each) for each in compacted.instructions]
            return as_message(compacted)
        where = "output" if item["type"] in OUTPUTS else "content"
        parts: str | list[Item] | None = item.get(where)
        if parts is None or isinstance(parts, str):
            return item
        has_files = any(part["type"] == FILE for part in parts)
        if not has_files and not any(part.get("file_id") for part in parts):
            return item
        read = await self._stored.in_parts(parts)
        if has_files and not self._reads_files:
            read = await with_texts(read, self._kit.extractor)
        return item | {where: read}

    @property
    def _reads_files(self) -> bool:
        """Whether the model can be given documents as they are."""
        deployment = self._call.deployment
        found = self._kit.capabilities_of(deployment.instance) if deployment else None
        return found is not None and found.reads_files

    async def _unsealed(self, item: Item) -> list[Item]:
        box = await self.box()
        try:
            if box is None:
                raise EncryptedContentInvalid("input")
            plain = box.unseal(SEALED_FOR, item["encrypted_content"])
        except SetupError:
            raise EncryptedContentInvalid("input") from None
        return [{"type": "reasoning_text", "text": plain.decode()}]

    def _chat(self, items: list[Item], hosted: HostedReader) -> ChatAsk:
        ask, tools = self._request.ask, self._request.tools
        streamed = True if ask.stream or ask.background else None
        return ChatAsk(
            messages=messages_of(items, ask.instructions, hosted),
            model=ask.model,
            logprobs=True if ask.wants_logprobs else None,
            max_completion_tokens=ask.max_output_tokens,
            parallel_tool_calls=ask.parallel_tool_calls if tools.offered else None,
            prompt_cache_key=ask.prompt_cache_key,
            prompt_cache_retention=ask.prompt_cache_retention,
            reasoning_effort=ask.reasoning.effort if ask.reasoning else None,
            response_format=_format(ask.text.format if ask.text else None),
            safety_identifier=ask.safety_identifier,
            service_tier=ask.service_tier,
            stream=streamed,
            stream_options=StreamOptions(include_usage=True) if streamed else None,
            temperature=ask.temperature,
            tool_choice=tools.choice,
            tools=tools.offered or None,
            top_logprobs=ask.top_logprobs if ask.wants_logprobs else None,
            top_p=ask.top_p,
            user=ask.user,
            verbosity=ask.text.verbosity if ask.text else None,
        )


def queued_body(ask: ResponseAsk, body: bytes) -> str:
    """The body, if it is to be made in the background; else ""."""
    return body.decode() if ask.background else ""


def _format(wanted: Format | None) -> ResponseFormat | None:
    if wanted is None or wanted.type == "text":
        return None
    if wanted.type == "json_object":
        return ResponseFormat("json_object")
    schema: Any = wanted.schema
    named = JsonSchemaFormat(wanted.name or "", schema, wanted.description, wanted.strict)
    return ResponseFormat("json_schema", named)
