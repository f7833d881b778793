"""Reading a new file out of its form, as it comes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.dataplane.parts.checks import whole_number
from linarite.dataplane.parts.file_fields import checked_life, checked_purpose, plain_name
from linarite.domain.errors import InvalidRequest
from linarite.files import NewFile
from linarite.web.multipart import FormReader

if TYPE_CHECKING:
    from linarite.dataplane.call import Call
    from linarite.domain.stored_object import StoredObject
    from linarite.files import FileKeeper
    from linarite.files.keeper import Received

EXPIRES_AFTER = "expires_after[{}]"


async def receive(call: Call, owner: str, keeper: FileKeeper) -> StoredObject:
    """Keep the file of a form. Raises InvalidRequest, and what FileKeeper raises.

    What stands before the file in the form is checked before the file is read; whatever goes
    wrong after it has come, nothing of it is left.
    """
    content_type = call.headers.get(b"content-type", b"")
    form = FormReader(content_type, call.body.pieces())
    fields: dict[str, str] = {}
    filename, received = "", None
    try:
        while (part := await form.next_part()) is not None:
            if part.name != "file":
                fields[part.name] = await form.text()
                continue
            _require_first(received)
            filename = part.filename or "file"
            if "purpose" in fields:
                await keeper.require_room(_new_file(call, owner, fields, filename))
            received = await keeper.receive(call.account_id, form.data())
        new = _new_file(call, owner, fields, filename or "file")
    except BaseException:
        if received is not None:
            await keeper.discard(received)
        raise
    if received is None:
        raise InvalidRequest("Missing required parameter: 'file'.", param="file")
    return await keeper.keep(new, received)


def _require_first(received: Received | None) -> None:
    if received is not None:
        raise InvalidRequest("Only one 'file' can come at a time.", param="file")


def _new_file(call: Call, owner: str, fields: dict[str, str], filename: str) -> NewFile:
    return NewFile(
        account_id=call.account_id,
        owner=owner,
        purpose=checked_purpose(fields.get("purpose", "")),
        filename=plain_name(filename),
        lives_s=_lives_s(fields),
    )


def _lives_s(fields: dict[str, str]) -> int:
    anchor = fields.get(EXPIRES_AFTER.format("anchor"))
    seconds = fields.get(EXPIRES_AFTER.format("seconds"))
    if anchor is None and seconds is None:
        return 0
    return checked_life(anchor, whole_number(seconds or ""), EXPIRES_AFTER)
