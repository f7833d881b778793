"""What an action group may be. Its webhooks act; other receivers are kept and shown as disabled.

Source: the specification of Microsoft.Insights/actionGroups, 2023-01-01.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import msgspec

from linarite.controlplane.problems import missing_problems
from linarite.domain.alerts import SEALED_SECRET, receivers_of, secret_name
from linarite.domain.arm_errors import Problem
from linarite.domain.errors import EgressRefused
from linarite.domain.secret_box import SecretBox
from linarite.domain.target import target_of

if TYPE_CHECKING:
    from linarite.controlplane.request import Target
    from linarite.controlplane.surface import Showing, Surface
    from linarite.domain.resource import Resource

NAME = r"[^<>%&:#\\?/]{1,260}"
"""no `#` either: it stands between a group and its receiver where letters are addressed"""
SHORT_NAME_CHARACTERS_MAX = 12
SECRET_BYTES = 32
OTHERS = (
    *("armRoleReceivers", "automationRunbookReceivers", "azureAppPushReceivers"),
    *("azureFunctionReceivers", "emailReceivers", "eventHubReceivers", "incidentReceivers"),
    *("itsmReceivers", "logicAppReceivers", "smsReceivers", "voiceReceivers"),
)
"""receivers that nothing here can reach"""
RECEIVERS_MAX = 10
"""of each kind, as on Azure"""
EMAIL_RECEIVERS_MAX = 1000


class SentGroup(msgspec.Struct, rename="camel"):
    """What may be set."""

    group_short_name: str | None = None
    enabled: bool | None = None
    webhook_receivers: list[dict[str, Any]] | None = None
    arm_role_receivers: list[dict[str, Any]] | None = None
    automation_runbook_receivers: list[dict[str, Any]] | None = None
    azure_app_push_receivers: list[dict[str, Any]] | None = None
    azure_function_receivers: list[dict[str, Any]] | None = None
    email_receivers: list[dict[str, Any]] | None = None
    event_hub_receivers: list[dict[str, Any]] | None = None
    incident_receivers: list[dict[str, Any]] | None = None
    itsm_receivers: list[dict[str, Any]] | None = None
    logic_app_receivers: list[dict[str, Any]] | None = None
    sms_receivers: list[dict[str, Any]] | None = None
    voice_receivers: list[dict[str, Any]] | None = None


class GroupFacts(msgspec.Struct, frozen=True):
    """What is needed when a group is completed."""

    box: SecretBox


async def gather(surface: Surface, target: Target) -> GroupFacts:
    """What seals."""
    del target
    return GroupFacts(surface.box)


def complete(new: Resource, old: Resource | None, facts: GroupFacts) -> Resource:
    """Every list that Azure shows, and a secret of the group's own to sign with."""
    said = {name: value for name, value in new.properties.items() if value is not None}
    lists: dict[str, Any] = {name: [] for name in (*OTHERS, "webhookReceivers")}
    kept = old.properties.get(SEALED_SECRET) if old is not None else None
    sealed = kept or facts.box.seal(secret_name(new.id), secrets.token_bytes(SECRET_BYTES))
    properties = {"enabled": True, **lists, **said, SEALED_SECRET: sealed}
    return msgspec.structs.replace(new, properties=properties)


def admit(new: Resource, old: Resource | None, facts: GroupFacts) -> list[Problem]:
    """Every problem of the group as it would be."""
    del old, facts
    found = missing_problems(new.properties, "groupShortName")
    if len(str(new.properties.get("groupShortName") or "")) > SHORT_NAME_CHARACTERS_MAX:
        told = f"groupShortName has at most {SHORT_NAME_CHARACTERS_MAX} characters."
        found.append(Problem("BadRequest", told, "properties.groupShortName"))
    for name in (*OTHERS, "webhookReceivers"):
        most = EMAIL_RECEIVERS_MAX if name == "emailReceivers" else RECEIVERS_MAX
        if len(new.properties.get(name) or ()) > most:
            told = f"A group has at most {most} {name}."
            found.append(Problem("BadRequest", told, f"properties.{name}"))
    place = "properties.webhookReceivers"
    try:
        receivers = receivers_of(new.properties)
    except msgspec.ValidationError as problem:
        return [*found, Problem("BadRequest", f"The receivers are wrong: {problem}.", place)]
    names = [each.name.lower() for each in receivers]
    if len(set(names)) < len(names):
        found.append(Problem("BadRequest", "Each receiver has a name of its own.", place))
    for number, receiver in enumerate(receivers):
        try:
            target_of(receiver.service_uri)
        except EgressRefused as refused:
            told = f"serviceUri: {refused.message}"
            found.append(Problem("BadRequest", told, f"{place}[{number}].serviceUri"))
    return found


def show(group: Resource, showing: Showing) -> dict[str, Any]:
    """Receivers that nothing here can reach are shown as disabled."""
    del showing
    shown = dict(group.properties)
    for name in ("emailReceivers", "smsReceivers"):
        receivers: list[dict[str, Any]] = shown.get(name) or []
        shown[name] = [{**each, "status": "Disabled"} for each in receivers]
    return shown
