"""Which requests' content is kept, and reading that of one. Azure has none.

A list tells no content. Reading is a POST: it leaves two events in the audit log, the first before
anything is opened.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from linarite.controlplane.request import Answer
from linarite.controlplane.stocktaking import account_of
from linarite.domain.arm_errors import ArmError, bad_request
from linarite.domain.content_log import CONTENT_RECORD_TYPE, ContentPage
from linarite.domain.errors import SetupError

if TYPE_CHECKING:
    from linarite.controlplane.request import ArmRequest, Target
    from linarite.controlplane.surface import Surface
    from linarite.domain.content_log import SealedContent

PAGE = 100
PAGE_MAX = 1_000


async def list_records(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """The newest first; `deployment` and `before` (a request's id) narrow it."""
    account = await account_of(surface, target)
    query = request.query
    top = query.get("$top", str(PAGE))
    if not top.isdecimal() or not 0 < int(top) <= PAGE_MAX:
        raise bad_request("BadRequest", f"$top is a whole number from 1 to {PAGE_MAX}.")
    page = ContentPage(
        limit=int(top), before=query.get("before", ""), deployment=query.get("deployment", "")
    )
    found = await surface.content_log.log.list(account.id, page)
    body: dict[str, Any] = {"value": [_shown(account.id, each) for each in found]}
    if len(found) == page.limit:
        following = {
            **query,
            "api-version": request.api_version,
            "before": found[-1].request_id,
        }
        body["nextLink"] = f"{request.base_url}{target.path}?{urlencode(following, safe='$')}"
    return Answer(200, body)


async def read(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """What one request asked and was answered. Raises ArmError 404."""
    del request
    account = await account_of(surface, target)
    wanted = target["record"]
    try:
        content = await surface.content_log.log.read(account.id, wanted)
    except SetupError:
        raise ArmError(
            409,
            "ContentDamaged",
            f"What is kept of the request '{wanted[:100]}' does not open: its row in content.db "
            "was changed or copied from elsewhere. Restore content.db from a backup.",
        ) from None
    if content is None:
        raise ArmError(
            404,
            "ContentNotFound",
            f"Of a request '{wanted[:100]}' nothing is kept in this account: it was made while "
            f"its {CONTENT_RECORD_TYPE.replace('Records', 'Logging')} was off, its time is over, "
            "or it is another account's. The id is the answer's apim-request-id.",
        )
    return Answer(
        200,
        {
            "id": _id(account.id, wanted),
            "name": wanted,
            "type": CONTENT_RECORD_TYPE,
            "properties": content,
        },
    )


def _shown(account_id: str, record: SealedContent) -> dict[str, Any]:
    return {
        "id": _id(account_id, record.request_id),
        "name": record.request_id,
        "type": CONTENT_RECORD_TYPE,
        "properties": {
            "requestId": record.request_id,
            "at": _iso(record.at),
            "expiresAt": _iso(record.expires_at),
            "deployment": record.deployment,
            "operation": record.operation,
            "status": record.status,
        },
    }


def _id(account_id: str, request_id: str) -> str:
    return f"{account_id}/providers/{CONTENT_RECORD_TYPE}/{request_id}"


def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
