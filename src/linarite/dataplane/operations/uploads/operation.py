"""Uploads: start, add a part, complete, cancel.

Sources: Azure OpenAI's authoring reference of 2024-10-21 (`Uploads`), OpenAI's for `/openai/v1/`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from linarite.dataplane.parts.decode import decode
from linarite.dataplane.parts.documents import DocumentReply, OfOneObject
from linarite.dataplane.parts.file_documents import file_document
from linarite.dataplane.parts.file_fields import checked_life, checked_purpose, plain_name
from linarite.domain.errors import InvalidRequest
from linarite.domain.upload_errors import NoSuchUpload, NoSuchUploadObject
from linarite.files import NewFile
from linarite.files.keeper import owner_of
from linarite.files.uploads import ends_at
from linarite.web.multipart import FormReader

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from linarite.dataplane.call import Call, OperationKit
    from linarite.domain.facts import Facts
    from linarite.domain.stored_object import StoredObject
    from linarite.files.uploads import UploadKeeper

MD5_DIGITS = 32
PART_FIELD = "data"


class ExpiresAfter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When the file that is made expires."""

    anchor: str
    seconds: int


class UploadAsk(msgspec.Struct, frozen=True):
    """What is announced."""

    filename: str
    purpose: str
    bytes: int
    mime_type: str
    expires_after: ExpiresAfter | None = None


class StrictUploadAsk(UploadAsk, frozen=True, forbid_unknown_fields=True):
    """The same, and nothing else."""


class CompleteAsk(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which parts make the file, in which order."""

    part_ids: list[str]
    md5: str | None = None


class Announced(NamedTuple):
    """An upload that is to begin."""

    call: Call
    reply: DocumentReply
    """its own: the call's may be followed by the content log"""
    new: NewFile
    size: int


class StartUpload:
    """Azure's `Uploads_Start`."""

    name = "Uploads_Start"
    action = "Microsoft.CognitiveServices/accounts/OpenAI/uploads/write"
    reads_body = True

    def __init__(self, kit: OperationKit) -> None:
        """Take who keeps uploads."""
        self._keeper = kit.uploads
        shape = UploadAsk if kit.accept_unknown_arguments else StrictUploadAsk
        self._decoder: msgspec.json.Decoder[UploadAsk] = msgspec.json.Decoder(shape)

    def parse(
        self,
        call: Call,
        body: bytes,
        facts: Facts,  # noqa: ARG002 - the port's shape
    ) -> Announced:
        """What is to come, and its bytes. Raises InvalidRequest."""
        ask = decode(self._decoder, body)
        if ask.bytes < 0:
            raise InvalidRequest("'bytes' must be 0 or more.", param="bytes")
        life = ask.expires_after
        new = NewFile(
            account_id=call.account_id,
            owner=owner_of(call.principal),
            purpose=checked_purpose(ask.purpose),
            filename=plain_name(ask.filename),
            lives_s=checked_life(life.anchor, life.seconds) if life else 0,
        )
        call.reply = reply = DocumentReply()
        return Announced(call, reply, new, ask.bytes)

    async def run(
        self,
        ask: Announced,
        slot: object,  # noqa: ARG002 - the port's shape
    ) -> AsyncGenerator[dict[str, Any], None]:
        """The upload, pending. Raises FileTooLarge, TooManyFiles, AccountIsFull."""
        made = await self._keeper.start(ask.new, ask.size)
        if not ask.call.v1:
            place = f"/openai/uploads/{made.id}?api-version={ask.call.api_version}"
            ask.reply.headers.append((b"location", place.encode()))
        yield upload_document(made, self._keeper.status(made))


class OneUpload(OfOneObject):
    """What operations on one upload have in common."""

    action = "Microsoft.CognitiveServices/accounts/OpenAI/uploads/write"

    def __init__(self, kit: OperationKit) -> None:
        """Take who keeps uploads."""
        self._keeper: UploadKeeper = kit.uploads

    async def _upload(self, call: Call) -> StoredObject:
        """The one that is meant. Raises NoSuchUpload, NoSuchUploadObject."""
        wanted = call.path_arguments["upload_id"]
        owner = self._keeper.files.seen_by(call.principal)
        found = await self._keeper.find(call.account_id, wanted, owner)
        if found is None:
            raise NoSuchUploadObject(wanted) if call.v1 else NoSuchUpload(wanted)
        return found


class AddUploadPart(OneUpload):
    """Azure's `Uploads_AddPart`."""

    name = "Uploads_AddPart"

    async def run(self, ask: Call, slot: object) -> AsyncGenerator[dict[str, Any], None]:  # noqa: ARG002 - the port's shape
        """The part, once it is kept. Raises InvalidRequest, FileTooLarge, AccountIsFull."""
        upload = await self._upload(ask)
        content_type = ask.headers.get(b"content-type", b"")
        form = FormReader(content_type, ask.body.pieces())
        while (field := await form.next_part()) is not None:
            if field.name != PART_FIELD:
                await form.text()
                continue
            made = await self._keeper.add_part(upload, form.data())
            await _read_to_end(form)
            yield {
                "id": made.id,
                "object": "upload.part",
                "created_at": made.created_at,
                "upload_id": upload.id,
            }
            return
        raise InvalidRequest("Missing required parameter: 'data'.", param=PART_FIELD)


class Completion(NamedTuple):
    """What completes an upload."""

    call: Call
    part_ids: list[str]
    md5: str


class CompleteUpload(OneUpload):
    """Azure's `Uploads_Complete`."""

    name = "Uploads_Complete"
    reads_body = True

    def __init__(self, kit: OperationKit) -> None:
        """Take who keeps uploads."""
        super().__init__(kit)
        self._decoder = msgspec.json.Decoder(CompleteAsk)

    def parse(self, call: Call, body: bytes, facts: Facts) -> Completion:  # noqa: ARG002 - the port's shape
        """The parts, in their order. Raises InvalidRequest."""
        ask = decode(self._decoder, body)
        md5 = ask.md5 or ""
        if md5 and (len(md5) != MD5_DIGITS or not _is_hexadecimal(md5)):
            raise InvalidRequest(f"'md5' must be {MD5_DIGITS} hexadecimal digits.", param="md5")
        call.reply = DocumentReply()
        return Completion(call, ask.part_ids, md5)

    async def run(self, ask: Completion, slot: object) -> AsyncGenerator[dict[str, Any], None]:  # noqa: ARG002 - the port's shape
        """The upload with its file. Raises UploadNotPending, PartsDoNotFit, TooManyFiles, …."""
        upload = await self._upload(ask.call)
        ended = await self._keeper.complete(upload, ask.part_ids, ask.md5)
        file = await self._keeper.file_of(ended)
        yield upload_document(ended, self._keeper.status(ended), file)


class CancelUpload(OneUpload):
    """Azure's `Uploads_Cancel`."""

    name = "Uploads_Cancel"

    async def run(self, ask: Call, slot: object) -> AsyncGenerator[dict[str, Any], None]:  # noqa: ARG002 - the port's shape
        """Its parts are gone when this is told. Raises UploadNotPending."""
        ended = await self._keeper.cancel(await self._upload(ask))
        yield upload_document(ended, self._keeper.status(ended))


def upload_document(
    upload: StoredObject, status: str, file: StoredObject | None = None
) -> dict[str, Any]:
    """An upload as both dialects show it."""
    told = {
        "id": upload.id,
        "object": "upload",
        "bytes": upload.body["bytes"],
        "created_at": upload.created_at,
        "filename": upload.body["filename"],
        "purpose": upload.body["purpose"],
        "status": status,
        "expires_at": ends_at(upload),
    }
    return told if file is None else told | {"file": file_document(file)}


async def _read_to_end(form: FormReader) -> None:
    while await form.next_part() is not None:
        await form.text()


def _is_hexadecimal(text: str) -> bool:
    return all(each in "0123456789abcdefABCDEF" for each in text)
