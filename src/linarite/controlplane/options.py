"""What settings say about the control plane and its quotas."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

IN_MEMORY = "memory"


class Quota(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much capacity deployments may share."""

    rates: Annotated[
        Literal["exact", "azure", "off"],
        Meta(
            description="How deployments are kept to their tokens a minute: exact counts what was "
            "used, over every minute one may choose; azure counts estimates until a fixed minute "
            "ends, as Azure does; off keeps to none."
        ),
    ] = "exact"
    requests_window: Annotated[
        Literal["10s", "1s"],
        Meta(
            description="Over which time the requests of deployments are counted; with 1s bursts "
            "within a second are refused, and deployments of less than a request a second keep "
            "to ten."
        ),
    ] = "10s"
    begun_wait_s: Annotated[
        float,
        Meta(
            description="Seconds that a response which has begun waits for its limits before its "
            "model is asked again; then it ends as failed. What holds a place of an instance "
            "waits ten at most, what nobody waits for ten times as long.",
            ge=0,
            le=600,
        ),
    ] = 60.0
    ledger: Annotated[
        str,
        Meta(
            description="Where what was used is counted: memory, or a Valkey or Redis that several "
            "servers share, as valkey://USER@HOST:PORT/NUMBER, with TLS valkeys://; of several "
            "HOST:PORT with commas between them the one that is primary."
        ),
    ] = IN_MEMORY
    ledger_password: Annotated[
        str, Meta(description="Password of that store, best as `env:NAME`.")
    ] = ""
    ledger_ca_file: Annotated[
        str,
        Meta(description="Authority of that store's certificate (PEM); empty: the system's."),
    ] = ""
    ledger_deadline_s: Annotated[
        float,
        Meta(
            description="Seconds that a request waits for that store at most; then it is away.",
            ge=0.05,
            le=60,
        ),
    ] = 0.5
    on_ledger_failure: Annotated[
        Literal["refuse", "local"],
        Meta(
            description="While that store is away: refuse answers 503; local has each server count "
            "for itself, so that together they may use a limit several times."
        ),
    ] = "refuse"
    capacity_max: Annotated[
        int,
        Meta(
            description="Capacity of each pool (subscription, region, model and deployment type) "
            "in units of 1,000 tokens a minute, or in PTUs for provisioned types.",
            ge=0,
        ),
    ] = 1000
    pools: Annotated[
        dict[str, int],
        Meta(description='Pools with another capacity, as `"OpenAI.Standard.gpt-4o" = 300`.'),
    ] = {}
    accounts_max: Annotated[
        int, Meta(description="Accounts in a region; Azure allows 30.", ge=1)
    ] = 30

    def __repr__(self) -> str:
        """Hide the password."""
        return f"Quota(rates={self.rates!r}, capacity_max={self.capacity_max})"


class ControlPlaneSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who may manage."""

    management_key: Annotated[
        bool,
        Meta(
            description="Whether the management key opens the control plane and the directory, "
            "past every role. Off, only access tokens do; somebody must be Owner before."
        ),
    ] = True
