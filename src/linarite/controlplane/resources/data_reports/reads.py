"""What is held of an account, by kind: how much, since when, until when. Azure has none.

It tells no content and no names, so the right to read the account is enough.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from linarite.controlplane.request import Answer
from linarite.controlplane.stocktaking import account_of
from linarite.domain.held_data import DATA_REPORT_TYPE

if TYPE_CHECKING:
    from linarite.controlplane.request import ArmRequest, Target
    from linarite.controlplane.surface import Surface
    from linarite.domain.held_data import Held


async def report(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """Each kind of which there is something."""
    del request
    account = await account_of(surface, target)
    held = await surface.held.held(account.id)
    use = await surface.held.use_of(account.id)
    return Answer(
        200,
        {
            "value": [_shown(account.id, each) for each in held],
            "storage": {
                "bytes": use.used,
                "bytesMax": use.most or None,
                "setting": use.setting,
                "diskFreeBytes": use.disk_free,
                "diskFreeBytesMin": use.disk_free_min,
            },
        },
    )


def _shown(account_id: str, held: Held) -> dict[str, Any]:
    return {
        "id": f"{account_id}/providers/{DATA_REPORT_TYPE}/{held.kind}",
        "name": held.kind,
        "type": DATA_REPORT_TYPE,
        "properties": {
            "kind": held.kind,
            "place": held.place,
            "count": held.count,
            "bytes": held.bytes or None,
            "oldest": _iso(held.oldest),
            "newest": _iso(held.newest),
            "firstEnds": _iso(held.ends_first),
            "lastEnds": _iso(held.ends_last),
            "withoutEnd": held.endless,
        },
    }


def _iso(seconds: int) -> str | None:
    """A time; None for none."""
    if not seconds:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
