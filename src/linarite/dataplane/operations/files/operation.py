"""Files: create, list, get, delete, content.

Sources: Azure OpenAI's v1 document, and its authoring reference of 2024-10-21.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qsl

import msgspec

from linarite.dataplane.operations.files.upload import receive
from linarite.dataplane.parts.checks import asked_limit
from linarite.dataplane.parts.decode import decode
from linarite.dataplane.parts.documents import BytesReply, DocumentReply, OfOneObject, list_document
from linarite.dataplane.parts.file_documents import file_document
from linarite.dataplane.parts.file_fields import checked_purpose, plain_name
from linarite.domain.errors import EgressRefused, InvalidRequest
from linarite.domain.file_errors import FileNotReady, NoSuchFile, NoSuchFileObject
from linarite.domain.stored_object import Page
from linarite.domain.target import target_of
from linarite.files import NewFile
from linarite.files.keeper import PROCESSED, owner_of, status_of
from linarite.files.sniffing import require_lines

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from linarite.dataplane.call import Call, OperationKit, Reply
    from linarite.domain.facts import Facts
    from linarite.domain.stored_object import StoredObject

LIST_MAX = 10_000
BODILESS_UNTIL = "2024-08"
"""dated versions before it answer a deletion with nothing"""
ORDERS = ("asc", "desc")


class CreateFile:
    """Azure's `Files_Upload`."""

    name = "Files_Upload"
    action = "Microsoft.CognitiveServices/accounts/OpenAI/files/write"
    reads_body = False

    def __init__(self, kit: OperationKit) -> None:
        """Take who keeps files."""
        self._keeper = kit.files

    def parse(self, call: Call, body: bytes, facts: Facts) -> Call:  # noqa: ARG002 - the port's shape
        """The form is read later, as it comes."""
        call.reply = DocumentReply() if call.v1 else DocumentReply(201)
        return call

    async def run(self, ask: Call, slot: object) -> AsyncGenerator[dict[str, Any], None]:  # noqa: ARG002 - the port's shape
        """The new file. Raises InvalidRequest, FileTooLarge, TooManyFiles."""
        made = await receive(ask, owner_of(ask.principal), self._keeper)
        _tell_place(ask, ask.reply, made)
        yield file_document(made)


class FileUrl(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a file is to be fetched from."""

    purpose: str
    filename: str
    content_url: str


class Import(NamedTuple):
    """A file that is to be fetched."""

    call: Call
    reply: DocumentReply
    """its own: the call's may be followed by the content log"""
    new: NewFile
    url: str


class ImportFile:
    """Azure's `Files_Import`."""

    name = "Files_Import"
    action = "Microsoft.CognitiveServices/accounts/OpenAI/files/import/action"
    reads_body = True

    def __init__(self, kit: OperationKit) -> None:
        """Take who fetches files."""
        self._importer = kit.imports
        self._decoder = msgspec.json.Decoder(FileUrl)

    def parse(
        self,
        call: Call,
        body: bytes,
        facts: Facts,  # noqa: ARG002 - the port's shape
    ) -> Import:
        """What is to be fetched. Raises InvalidRequest."""
        ask = decode(self._decoder, body)
        new = NewFile(
            account_id=call.account_id,
            owner=owner_of(call.principal),
            purpose=checked_purpose(ask.purpose),
            filename=plain_name(ask.filename),
        )
        try:
            target_of(ask.content_url)
        except EgressRefused as refused:
            raise InvalidRequest(refused.message, param="content_url") from None
        require_lines(new.purpose, new.filename, b"")
        call.reply = reply = DocumentReply(201)
        return Import(call, reply, new, ask.content_url)

    async def run(
        self,
        ask: Import,
        slot: object,  # noqa: ARG002 - the port's shape
    ) -> AsyncGenerator[dict[str, Any], None]:
        """The file, pending. Raises TooManyFiles, AccountIsFull."""
        made = await self._importer.ask(ask.new, ask.url)
        _tell_place(ask.call, ask.reply, made)
        yield file_document(made)


class ListFiles:
    """Azure's `Files_List`."""

    name = "Files_List"
    action = "Microsoft.CognitiveServices/accounts/OpenAI/files/read"
    reads_body = False

    def __init__(self, kit: OperationKit) -> None:
        """Take who keeps files."""
        self._keeper = kit.files

    def parse(self, call: Call, body: bytes, facts: Facts) -> tuple[str, Page]:  # noqa: ARG002 - the port's shape
        """Which part of whose list. Raises InvalidRequest."""
        asked = dict(parse_qsl(call.query.decode("latin-1")))
        order = asked.get("order", "desc")
        if order not in ORDERS:
            raise InvalidRequest(
                f"'{order[:20]}' is not one of {list(ORDERS)} - 'order'", param="order"
            )
        limit = asked_limit(asked, LIST_MAX, LIST_MAX)
        call.reply = DocumentReply()
        page = Page(
            limit=limit + 1,
            after=asked.get("after", ""),
            ascending=order == "asc",
            label=asked.get("purpose", ""),
            owner=self._keeper.seen_by(call.principal),
        )
        return call.account_id, page

    async def run(
        self,
        ask: tuple[str, Page],
        slot: object,  # noqa: ARG002 - the port's shape
    ) -> AsyncGenerator[dict[str, Any], None]:
        """The part of the list, and whether there is more."""
        account_id, page = ask
        found = await self._keeper.list(account_id, page)
        shown = [file_document(each) for each in found[: page.limit - 1]]
        yield list_document(shown, more=len(found) >= page.limit)


class OneFile(OfOneObject):
    """What operations on one file have in common."""

    name: str
    action = "Microsoft.CognitiveServices/accounts/OpenAI/files/read"

    def __init__(self, kit: OperationKit) -> None:
        """Take who keeps files."""
        self._keeper = kit.files

    async def _file(self, call: Call) -> StoredObject:
        """The file that is meant. Raises NoSuchFile, NoSuchFileObject."""
        wanted = call.path_arguments["file_id"]
        found = await self._keeper.find(
            call.account_id, wanted, self._keeper.seen_by(call.principal)
        )
        if found is None:
            raise self._absent(call)
        return found

    def _absent(self, call: Call) -> NoSuchFile | NoSuchFileObject:
        wanted = call.path_arguments["file_id"]
        return NoSuchFileObject(wanted) if call.v1 else NoSuchFile(wanted)


class GetFile(OneFile):
    """Azure's `Files_Get`."""

    name = "Files_Get"

    async def run(self, ask: Call, slot: object) -> AsyncGenerator[dict[str, Any], None]:  # noqa: ARG002 - the port's shape
        """What is known of it."""
        yield file_document(await self._file(ask))


class DeleteFile(OneFile):
    """Azure's `Files_Delete`."""

    name = "Files_Delete"
    action = "Microsoft.CognitiveServices/accounts/OpenAI/files/delete"

    async def run(self, ask: Call, slot: object) -> AsyncGenerator[dict[str, Any], None]:  # noqa: ARG002 - the port's shape
        """It is gone when this is told."""
        file = await self._file(ask)
        await self._keeper.remove(file)
        if not ask.v1 and ask.api_version < BODILESS_UNTIL:
            ask.reply = DocumentReply(204)
        yield {"id": file.id, "object": "file", "deleted": True}


class GetFileContent(OneFile):
    """Azure's `Files_GetContent`."""

    name = "Files_GetContent"

    async def run(self, ask: Call, slot: object) -> AsyncGenerator[bytes, None]:  # noqa: ARG002 - the port's shape
        """Its bytes, in pieces."""
        file = await self._file(ask)
        if status_of(file) != PROCESSED:
            why = str(file.body.get("status_details", ""))
            raise FileNotReady(file.id, status_of(file), why)
        pieces = self._keeper.content(file)
        try:
            first = await anext(pieces, b"")
        except KeyError:  # it was deleted at this very moment
            raise self._absent(ask) from None
        ask.reply = BytesReply(str(file.body["filename"]), int(file.body["bytes"]))
        yield first
        async for piece in pieces:
            yield piece


def _tell_place(call: Call, reply: Reply | None, made: StoredObject) -> None:
    if isinstance(reply, DocumentReply) and not call.v1:
        location = f"/openai/files/{made.id}?api-version={call.api_version}"
        reply.headers.append((b"location", location.encode()))
