"""What the commands do: each asks the server's control plane."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from linarite.cli.arm.answers import part
from linarite.cli.arm.flags import Output
from linarite.cli.arm.naming import account_id
from linarite.cli.arm.printed import print_data, print_many, print_one
from linarite.cli.arm.refusals import NOT_FOUND, ServerRefused
from linarite.domain.content_log import CONTENT_LOGGING_TYPE, CONTENT_RECORD_TYPE, DEFAULT

if TYPE_CHECKING:
    from linarite.cli.arm.flags import AccountFlags, OutputFlags
    from linarite.cli.arm.server import Server

VERSION = "2026-11-01"
OFF = {"name": DEFAULT, "properties": {"state": "Disabled"}}


@dataclass(frozen=True, kw_only=True)
class Days:
    """For how long."""

    days: Annotated[
        int | None,
        typer.Option(min=1, help="Days for which it is kept.", show_default="30, or as it is"),
    ] = None


@dataclass(frozen=True, kw_only=True)
class Which:
    """Which ones."""

    deployment: Annotated[
        str | None, typer.Option(help="Of this deployment alone.", show_default="all")
    ] = None
    max_entries: Annotated[int, typer.Option(min=1, help="Most entries that are shown.")] = 50


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Of which request."""

    request_id: Annotated[
        str, typer.Argument(help="The answer's apim-request-id.", show_default=False)
    ]


async def enable(server: Server, where: AccountFlags, days: Days, shown: OutputFlags) -> None:
    """Have prompts and completions kept from now on, sealed under the account's key."""
    wanted: dict[str, Any] = {"state": "Enabled"}
    if days.days is not None:
        wanted["retentionDays"] = days.days
    await _set(server, where, wanted, shown)


async def disable(server: Server, where: AccountFlags, shown: OutputFlags) -> None:
    """Have nothing more kept; what is kept already stays until its time is over."""
    await _set(server, where, {"state": "Disabled"}, shown)


async def show(server: Server, where: AccountFlags, shown: OutputFlags) -> None:
    """Tell whether an account has anything kept, and for how long."""
    path = await _switch(server, where)
    try:
        told = (await server.send("GET", path, version=VERSION)).body
    except ServerRefused as refusal:
        if refusal.status != NOT_FOUND:
            raise
        told = OFF
    print_one(told, _facts, shown.output)


async def list_records(
    server: Server, where: AccountFlags, which: Which, shown: OutputFlags
) -> None:
    """List the requests whose content is kept, the newest first; not what is in them."""
    account = await account_id(server, where.account, where.resource_group)
    query = {"deployment": which.deployment} if which.deployment else {}
    found = await server.first(
        which.max_entries,
        f"{account}/providers/{CONTENT_RECORD_TYPE}",
        version=VERSION,
        query=query,
    )
    print_many(found, _row, shown.output, none="Of no request is content kept.")


async def read(server: Server, asked: Asked, where: AccountFlags, shown: OutputFlags) -> None:
    """Read what one request asked and was answered. It is audited."""
    account = await account_id(server, where.account, where.resource_group)
    path = f"{account}/providers/{CONTENT_RECORD_TYPE}/{asked.request_id}/read"
    told = (await server.send("POST", path, version=VERSION)).body
    output = Output.JSON if shown.output is Output.TABLE else shown.output
    print_data(told["properties"], output)


async def _set(
    server: Server, where: AccountFlags, wanted: dict[str, Any], shown: OutputFlags
) -> None:
    path, body = await _switch(server, where), {"properties": wanted}
    try:
        reply = await server.send("PATCH", path, version=VERSION, body=body)
    except ServerRefused as refusal:
        if refusal.status != NOT_FOUND:
            raise
        reply = await server.send("PUT", path, version=VERSION, body=body)
    print_one(reply.body, _facts, shown.output)


async def _switch(server: Server, where: AccountFlags) -> str:
    account = await account_id(server, where.account, where.resource_group)
    return f"{account}/providers/{CONTENT_LOGGING_TYPE}/{DEFAULT}"


def _facts(switch: dict[str, Any]) -> dict[str, object]:
    said = part(switch, "properties")
    return {"state": said.get("state"), "retention days": said.get("retentionDays")}


def _row(record: dict[str, Any]) -> dict[str, object]:
    said = part(record, "properties")
    return {
        "request": said["requestId"],
        "at": str(said["at"])[:19].replace("T", " "),
        "deployment": said["deployment"],
        "operation": said["operation"],
        "status": said["status"],
        "until": str(said["expiresAt"])[:10],
    }
