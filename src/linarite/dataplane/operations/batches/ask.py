"""What is asked when a batch is made, or a part of the list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qsl

import msgspec

from linarite.batches import NewBatch
from linarite.batches.input_file import check_endpoint
from linarite.dataplane.operations.batches.filtering import oldest_first, wanted_by
from linarite.dataplane.parts.checks import asked_limit, check_metadata
from linarite.dataplane.parts.decode import decode
from linarite.dataplane.subjects import PROJECT_HEADER
from linarite.domain.batch import COMPLETION_WINDOW
from linarite.domain.errors import InvalidRequest
from linarite.domain.stored_object import Page
from linarite.files.keeper import owner_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from linarite.batches import BatchKeeper
    from linarite.dataplane.call import Call
    from linarite.domain.batch import Batch

LIST_MAX, LIST_USUAL = 100, 20
DAY_S = 86_400
LIVES_S = (14 * DAY_S, 30 * DAY_S)
"""how long the files of a batch that expire may live, at least and at most"""


class ExpiresAfter(msgspec.Struct, frozen=True):
    """When the files with the results expire."""

    anchor: str
    seconds: int


class BatchAsk(msgspec.Struct, frozen=True):
    """The body."""

    endpoint: str
    completion_window: str
    input_file_id: str | None = None
    metadata: dict[str, str] | None = None
    output_expires_after: ExpiresAfter | None = None
    input_blob: Any = None
    output_folder: Any = None


_decoder = msgspec.json.Decoder(BatchAsk)


def read_ask(call: Call, body: bytes, keeper: BatchKeeper) -> NewBatch:
    """The batch that is asked for. Raises InvalidRequest."""
    ask = decode(_decoder, body)
    if ask.input_blob or ask.output_folder:
        raise InvalidRequest(
            "Batches from storage accounts (input_blob, output_folder) are not supported: upload "
            "the file with the purpose 'batch' and name it as 'input_file_id'.",
            param="input_blob",
        )
    if not ask.input_file_id:
        raise InvalidRequest(
            "Missing required parameter: 'input_file_id'.",
            param="input_file_id",
            code="missing_required_parameter",
        )
    if ask.completion_window != COMPLETION_WINDOW:
        raise InvalidRequest(
            f"Invalid value: '{ask.completion_window[:20]}'. Supported values are: "
            f"'{COMPLETION_WINDOW}'.",
            param="completion_window",
            code="invalid_value",
        )
    check_endpoint(ask.endpoint, keeper.endpoints)
    check_metadata(ask.metadata)
    assert call.principal is not None  # noqa: S101 - whoever asks has been let in
    return NewBatch(
        account_id=call.account_id,
        maker=call.principal,
        owner=owner_of(call.principal),
        project=call.headers.get(PROJECT_HEADER, b"").decode("latin-1"),
        api_version=call.api_version,
        endpoint=ask.endpoint,
        input_file_id=ask.input_file_id,
        metadata=ask.metadata,
        output_lives_s=_lives_s(ask.output_expires_after),
    )


class Listing(NamedTuple):
    """The part of the list that is asked for, and one more."""

    page: Page
    wanted: Callable[[Batch], bool] | None
    """whether a batch is in it; None: all are"""


def read_listing(call: Call, owner: str | None) -> Listing:
    """What is asked for. Raises InvalidRequest."""
    asked = dict(parse_qsl(call.query.decode("latin-1")))
    page = Page(
        limit=asked_limit(asked, LIST_USUAL, LIST_MAX) + 1,
        after=asked.get("after", ""),
        ascending=oldest_first(asked.get("$orderby", "created_at desc")),
        owner=owner,
    )
    return Listing(page, wanted_by(asked["$filter"]) if "$filter" in asked else None)


def _lives_s(asked: ExpiresAfter | None) -> int:
    if asked is None:
        return 0
    least, most = LIVES_S
    if asked.anchor != "created_at":
        raise InvalidRequest(
            "'output_expires_after.anchor' must be 'created_at'.",
            param="output_expires_after.anchor",
        )
    if not least <= asked.seconds <= most:
        raise InvalidRequest(
            f"'output_expires_after.seconds' must be an integer between {least} and {most}.",
            param="output_expires_after.seconds",
        )
    return asked.seconds
