"""Reading the network log: of an account by who may read the account, of all by who reads all.

Azure has no such API: its logs are exported. What perimeters decided has the fields of the table
NSPAccessLogs (learn.microsoft.com, "Azure Monitor Logs reference - NSPAccessLogs"), and so has
the rest, whose category is EgressRefused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from linarite.controlplane.request import Answer
from linarite.controlplane.stocktaking import account_of, require_subscription
from linarite.controlplane.verbs.list import next_link
from linarite.domain.arm_errors import bad_request
from linarite.domain.network_log import NetworkQuery

if TYPE_CHECKING:
    from linarite.controlplane.request import ArmRequest, Target
    from linarite.controlplane.surface import Surface
    from linarite.domain.network_log import Entry, Occurrence

PAGE = 200
PLACE_CHARACTERS_MAX = 100
FILTERS = ("category", "direction", "perimeter", "since")


async def of_server(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """All accounts, and the server's own errands; what was seen last first."""
    require_subscription(surface, target)
    return await _page(request, surface, "")


async def of_account(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """One account; what was seen last first."""
    return await _page(request, surface, (await account_of(surface, target)).id)


async def _page(request: ArmRequest, surface: Surface, account_id: str) -> Answer:
    unknown = sorted(set(request.query) - {*FILTERS, "$skiptoken"})
    if unknown:
        raise bad_request(
            "BadRequest",
            f"'{unknown[0][:60]}' is no filter of the network log; there are: "
            f"{', '.join(FILTERS)}.",
        )
    token = request.query.get("$skiptoken", "")
    if len(token) > PLACE_CHARACTERS_MAX:
        raise bad_request(
            "InvalidSkipToken", "The $skiptoken is not one that a nextLink has given out."
        )
    said = {name: request.query.get(name, "") for name in FILTERS}
    entries = await surface.network_log.read(
        NetworkQuery(
            account_id=account_id,
            perimeter_id=said["perimeter"],
            category=said["category"],
            direction=said["direction"].capitalize(),
            since=said["since"],
            after=token,
            limit=PAGE + 1,
        )
    )
    body: dict[str, object] = {"value": [shown(entry) for entry in entries[:PAGE]]}
    if len(entries) > PAGE:
        body["nextLink"] = next_link(request, entries[PAGE - 1].place)
    return Answer(200, body)


def shown(entry: Entry) -> dict[str, Any]:
    """An entry, with the columns of NSPAccessLogs."""
    what = entry.what
    inward = what.direction == "Inbound"
    return {
        "TimeGenerated": entry.first_at,
        "TimeGeneratedEndTime": entry.last_at,
        "Count": entry.count,
        "Category": what.category,
        "ResultAction": "Approved" if what.category.endswith("Allowed") else "Denied",
        "ResultDirection": what.direction,
        "ResultDescription": entry.reason,
        "TrafficType": "Intra" if "IntraPerimeter" in what.category else "Public",
        "OperationName": what.purpose,
        "ServiceResourceId": what.account_id,
        "SourceIpAddress": what.remote if inward else "",
        "DestinationFqdn": "" if inward else what.remote,
        "DestinationPort": str(what.port) if what.port else "",
        "RuleType": _kind_of_rule(what),
        "MatchedRule": what.rule,
        "Profile": what.profile,
        "_ResourceId": what.perimeter_id or what.account_id,
    }


def _kind_of_rule(what: Occurrence) -> str:
    if what.perimeter_id:
        return "NSP"
    return "PaaS" if what.rule == "allowedFqdnList" else "Server"
