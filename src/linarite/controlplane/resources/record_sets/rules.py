"""The record sets of a private zone: what they may be, and those that are there by themselves.

Source: the specification of private DNS, 2024-06-01.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING, Annotated, Any, cast

import msgspec
from msgspec import Meta

from linarite.controlplane.authorizing import readable
from linarite.controlplane.verbs.list import paged
from linarite.controlplane.wire import shown
from linarite.domain.arm_errors import Problem
from linarite.domain.arm_id import collection_parent_id, parent_id, same_id
from linarite.domain.private_link import APEX, RECORDS, ZONE_TYPE
from linarite.domain.resource import Resource

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from linarite.controlplane.request import Answer, ArmRequest, Target
    from linarite.controlplane.surface import Showing, Surface

NAME = r"@|\*|(\*\.)?[a-zA-Z0-9_-]{1,63}(\.[a-zA-Z0-9_-]{1,63})*"
READ_ONLY = frozenset(("fqdn", "isAutoRegistered", "provisioningState"))
TTL_S = 3600
MAIL = "azureprivatedns-host.microsoft.com"
HOST = "azureprivatedns.net"
Ttl = Annotated[int, Meta(ge=0, le=2_147_483_647)]
Preference = Annotated[int, Meta(ge=0, le=65535)]


class ARecord(msgspec.Struct, rename={"address": "ipv4Address"}):
    """An IPv4 address."""

    address: str


class AaaaRecord(msgspec.Struct, rename={"address": "ipv6Address"}):
    """An IPv6 address."""

    address: str


class CnameRecord(msgspec.Struct):
    """Another name for it."""

    cname: str


class MxRecord(msgspec.Struct):
    """Where its mail goes."""

    preference: Preference
    exchange: str


class PtrRecord(msgspec.Struct):
    """The name of an address."""

    ptrdname: str


class SrvRecord(msgspec.Struct):
    """Where a service is."""

    priority: Preference
    weight: Preference
    port: Preference
    target: str


class TxtRecord(msgspec.Struct):
    """A text in pieces."""

    value: list[Annotated[str, Meta(max_length=255)]]


class SentRecordSet(msgspec.Struct, rename="camel"):
    """What may be set, of every type."""

    ttl: Ttl | None = None
    metadata: dict[str, str] | None = None
    a_records: list[ARecord] | None = None
    aaaa_records: list[AaaaRecord] | None = None
    cname_record: CnameRecord | None = None
    mx_records: list[MxRecord] | None = None
    ptr_records: list[PtrRecord] | None = None
    srv_records: list[SrvRecord] | None = None
    txt_records: list[TxtRecord] | None = None


def derived_of(word: str) -> Callable[[Surface, str], Sequence[Resource]]:
    """What is there of one type without being made: the zone's SOA, and what zone groups keep."""

    def derived(surface: Surface, parent: str) -> Sequence[Resource]:
        if word == "SOA":
            return [_soa(zone) for zone in surface.links.zones() if same_id(zone.id, parent)]
        kind = f"{ZONE_TYPE}/{word}"
        return [each for each in surface.links.kept_records(parent) if each.type == kind]

    return derived


def _soa(zone: Resource) -> Resource:
    record = {
        "host": HOST,
        "email": MAIL,
        "serialNumber": 1,
        "refreshTime": 3600,
        "retryTime": 300,
        "expireTime": 2_419_200,
        "minimumTtl": 10,
    }
    return Resource(
        id=f"{zone.id}/SOA/{APEX}",
        type=f"{ZONE_TYPE}/SOA",
        name=APEX,
        properties={"ttl": TTL_S, "isAutoRegistered": False, "soaRecord": record},
    )


def complete(new: Resource, old: Resource | None, facts: None) -> Resource:
    """Fill in what Azure fills in."""
    del old, facts
    return msgspec.structs.replace(
        new, properties={"ttl": TTL_S} | new.properties | {"isAutoRegistered": False}
    )


def admit(new: Resource, old: Resource | None, facts: None) -> list[Problem]:
    """It has records of its own type, and addresses are addresses."""
    del old, facts
    word = new.type.rpartition("/")[2]
    others = [
        each for each in RECORDS.values() if each != RECORDS[word] and new.properties.get(each)
    ]
    found = [
        Problem(
            "BadRequest",
            f"The record set '{new.name}' is of type {word} and can't have '{each}'.",
            f"properties.{each}",
        )
        for each in others
    ]
    if word == "CNAME" and new.name == APEX:
        said = "A CNAME record can't be made at the zone's own name."
        found.append(Problem("BadRequest", said, "name"))
    for kind, key, name in (
        (IPv4Address, "ipv4Address", "A"),
        (IPv6Address, "ipv6Address", "AAAA"),
    ):
        for each in cast("list[dict[str, str]]", new.properties.get(RECORDS[name]) or []):
            try:
                kind(each[key])
            except ValueError:
                said = f"'{each[key][:100]}' is no address of a record of type {name}."
                found.append(Problem("BadRequest", said, f"properties.{RECORDS[name]}"))
    return found


async def keep(surface: Surface, record: Resource) -> list[Problem]:
    """The SOA stays with its zone, and what a zone group keeps with the group."""
    if record.etag:
        return []
    del surface
    said = (
        "The SOA record set goes with its zone."
        if record.type.endswith("/SOA")
        else f"'{record.name}' is kept by the private DNS zone group of a private endpoint: delete "
        "that."
    )
    return [Problem("BadRequest", said, status=409)]


def show(record: Resource, showing: Showing) -> dict[str, Any]:
    """With its whole name."""
    del showing
    zone = parent_id(record.id).rpartition("/")[2]
    fqdn = f"{zone}." if record.name == APEX else f"{record.name}.{zone}."
    return record.properties | {"fqdn": fqdn}


async def list_all(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """The record sets of every type."""
    zone_id = collection_parent_id(target.path)
    zone = await surface.resources.get(zone_id)
    rows = {word: surface.rows[f"{ZONE_TYPE}/{word}".lower()] for word in RECORDS}
    there = [_soa(zone), *surface.links.records(zone.id)] if zone else []
    found = [(each.id.lower(), each) for each in readable(surface, request.caller, there)]
    showing = surface.showing(request)
    return paged(
        sorted(found),
        request,
        lambda each: shown(each, rows[each.type.rpartition("/")[2]], showing),
    )
