"""Approvals: which calls of MCP servers' tools a person has agreed to, or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from linarite.domain.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from linarite.dataplane.parts.response_items import Item

REQUEST, RESPONSE = "mcp_approval_request", "mcp_approval_response"
APPROVALS = frozenset((REQUEST, RESPONSE))
GRANTED_MAX = 128
"""calls that one request can agree to: they are made at once"""


class Approvals(NamedTuple):
    """What became of requests for approval."""

    granted: Sequence[Item] = ()
    """requests that were agreed to and whose calls have still to be made"""
    refused: Mapping[str, str] = {}
    """ids of requests that were not, each with the person's reason"""


def has_requests(items: Sequence[Item]) -> bool:
    """Whether anything in them has to do with approvals."""
    for each in items:  # noqa: SIM110 - asked of every request: a generator costs a microsecond
        if each["type"] in APPROVALS:
            return True
    return False


def read_approvals(
    earlier: Sequence[Item], new: Sequence[Item], labels: frozenset[str]
) -> Approvals:
    """The approvals in what was said; `labels` are those of the servers that can be called.

    Raises InvalidRequest for answers to nothing, second answers, and requests without one.
    """
    everything = [*earlier, *new]
    requests = {each["id"]: each for each in everything if each["type"] == REQUEST}
    called = {each.get("approval_request_id") for each in everything if each["type"] == "mcp_call"}
    answers: dict[str, Item] = {}
    for each in everything:
        if each["type"] != RESPONSE:
            continue
        wanted = each["approval_request_id"]
        if wanted not in requests:
            raise _refused(f"No approval request found with id '{wanted[:100]}'.")
        if wanted in answers:
            raise _refused(f"The approval request '{wanted}' has been answered already.")
        answers[wanted] = each
    if open_ones := [each for each in requests if each not in answers and each not in called]:
        raise _refused(
            "The following MCP approval requests do not have an approval: "
            f"{', '.join(open_ones[:10])}"
        )
    granted = [
        requests[wanted]
        for wanted, each in answers.items()
        if each["approve"] and wanted not in called
    ]
    if len(granted) > GRANTED_MAX:
        raise _refused(f"At most {GRANTED_MAX} calls can be agreed to in one request.")
    for each in granted:
        if each["server_label"] not in labels:
            raise InvalidRequest(
                f"The call that was agreed to is one of MCP server '{each['server_label']}'. Send "
                "the server again under 'tools': it is not kept.",
                param="tools",
                code="missing_required_parameter",
            )
    refused = {
        wanted: str(each.get("reason") or "")
        for wanted, each in answers.items()
        if not each["approve"]
    }
    return Approvals(granted, refused)


def renamed(items: Sequence[Item], names: Mapping[str, str]) -> list[Item]:
    """Items, of which those that refer to a request for approval do so by its new id."""
    named = "approval_request_id"
    return [
        each | {named: names[each[named]]} if each.get(named) in names else each for each in items
    ]


def _refused(message: str) -> InvalidRequest:
    return InvalidRequest(message, param="input", code="invalid_value")


def refusal_told(reason: str) -> dict[str, Any]:
    """What a model reads in place of a tool's answer."""
    told: dict[str, Any] = {"error": "The user did not agree to this call. Do not make it again."}
    return told | ({"reason": reason} if reason else {})
