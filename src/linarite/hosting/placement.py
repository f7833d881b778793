"""Choosing the instance for a deployment: a function of what there is, without effects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from linarite.domain.placement import InstanceRecord, Measured, account_id_of
from linarite.hosting.memory import needed_bytes, shown
from linarite.hosting.options import ONE_PROMPT_CACHE_ENGINES
from linarite.hosting.regions import PlaceRefused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.domain.placement import Wish

NO_ROOM = "InsufficientResources"


class Candidate(msgspec.Struct, frozen=True):
    """An instance there is, and what deployments already take of it."""

    record: InstanceRecord
    units: int = 0
    """capacity of the deployments on it that pay by the token, in 1,000 tokens a minute"""
    reserved: float = 0.0
    """tokens per second that Provisioned deployments on it have"""
    accounts: frozenset[str] = frozenset()
    """whose deployments are on it: lower-cased ids"""


class Room(msgspec.Struct, frozen=True):
    """What a new instance could have."""

    engine: str
    """what would run the model"""
    weights_bytes: int
    free_bytes: Mapping[str, int]
    """region → memory that is not promised to instances there"""
    taken_names: frozenset[str]


class Rules(msgspec.Struct, frozen=True):
    """What settings say about new instances."""

    slots: int
    slots_max: int
    units_per_slot: int
    tokens_per_second_per_ptu: float
    keeps_prompts: bool = False
    """a new instance of an engine that can't tell accounts apart keeps computed prompts"""


def place(
    wish: Wish,
    regions: Sequence[str],
    candidates: Sequence[Candidate],
    room: Room | None,
    rules: Rules,
) -> InstanceRecord:
    """The instance that is to serve a deployment, with as many slots as it is to have.

    An instance with the model in an eligible region is shared where it has what the SKU asks for;
    else a new one is planned where memory allows. `room` is None when the model can't be had for
    a new one. `candidates` count the other deployments only. Raises PlaceRefused.
    """
    fitting = [each for region in regions for each in candidates if _serves(each, wish, region)]
    for candidate in fitting:
        if _has_share(candidate, wish, rules):
            return _grown(candidate, wish, room, rules)
    if room is None:
        raise _nothing_to_run(wish, fitting)
    return _new_instance(wish, regions, room, rules)


def reserved_by(wish: Wish, rules: Rules) -> float:
    """Tokens per second that a deployment reserves."""
    if not wish.sku.provisioned:
        return 0.0
    return wish.sku.capacity * rules.tokens_per_second_per_ptu


def require_share(
    wish: Wish, measured: Measured | None, reserved_by_others: float, rules: Rules
) -> None:
    """Refuse a Provisioned deployment that asks for more than was measured. Raises PlaceRefused."""
    wanted = reserved_by(wish, rules)
    if not wanted or measured is None:
        return
    left = max(0.0, measured.tokens_per_second - reserved_by_others)
    if wanted > left:
        fits = int(left / rules.tokens_per_second_per_ptu)
        raise PlaceRefused(
            NO_ROOM,
            f"{wish.sku.capacity} provisioned throughput units of {wish.model.name} are "
            f"{wanted:.0f} tokens per second; its instance does {measured.tokens_per_second:.0f} "
            f"on this hardware and {left:.0f} of them are not reserved. Ask for at most {fits} "
            "units (sku.capacity), or use a SKU that is not provisioned.",
        )


def _serves(candidate: Candidate, wish: Wish, region: str) -> bool:
    record = candidate.record
    return (
        wish.model.name.lower() in {name.lower() for name in (record.model, *record.also)}
        and record.version in ("", wish.model.version)
        and record.region == region
        and wish.engine in ("", record.engine)
        and not (record.declared and record.keeps_prompts and _has_others(candidate, wish))
    )


def _has_share(candidate: Candidate, wish: Wish, rules: Rules) -> bool:
    measured = candidate.record.measured
    wanted = reserved_by(wish, rules)
    if not wanted or measured is None:
        return True
    return candidate.reserved + wanted <= measured.tokens_per_second


def _has_others(candidate: Candidate, wish: Wish) -> bool:
    """Whether other accounts use the instance too."""
    return bool(candidate.accounts - {account_id_of(wish.deployment_id)})


def _grown(candidate: Candidate, wish: Wish, room: Room | None, rules: Rules) -> InstanceRecord:
    """With the slots that all its deployments together want, as far as memory goes."""
    record = candidate.record
    if record.declared:
        return record
    if record.keeps_prompts and _has_others(candidate, wish):
        record = msgspec.structs.replace(record, keeps_prompts=False, measured=None)
    if room is None:
        return record
    free = room.free_bytes.get(record.region, 0) + record.memory_bytes
    slots = _slots_wanted(candidate.units + _units(wish), rules)
    while slots > rules.slots and needed_bytes(room.weights_bytes, slots) > free:
        slots -= 1
    if slots == record.slots:
        return record
    return msgspec.structs.replace(
        record,
        slots=slots,
        memory_bytes=needed_bytes(room.weights_bytes, slots),
        measured=None,
    )


def _new_instance(wish: Wish, regions: Sequence[str], room: Room, rules: Rules) -> InstanceRecord:
    slots = _slots_wanted(_units(wish), rules)
    while slots > rules.slots and not _region_with(
        needed_bytes(room.weights_bytes, slots), regions, room
    ):
        slots -= 1
    needed = needed_bytes(room.weights_bytes, slots)
    region = _region_with(needed, regions, room)
    if region is None:
        raise _no_memory(wish, needed, regions, room)
    return InstanceRecord(
        name=_free_name(wish, region[0], room.taken_names),
        engine=room.engine,
        model=wish.model.name,
        version=wish.model.version,
        region=region[0],
        slots=slots,
        memory_bytes=needed,
        wished=bool(wish.engine),
        keeps_prompts=rules.keeps_prompts and room.engine in ONE_PROMPT_CACHE_ENGINES,
    )


def _region_with(needed: int, regions: Sequence[str], room: Room) -> tuple[str] | None:
    """The first region with so much memory, in a tuple: a region's name may be empty."""
    return next(((region,) for region in regions if needed <= room.free_bytes.get(region, 0)), None)


def _units(wish: Wish) -> int:
    return 0 if wish.sku.provisioned else wish.sku.capacity


def _slots_wanted(units: int, rules: Rules) -> int:
    by_units = -(-units // rules.units_per_slot)
    return max(rules.slots, min(rules.slots_max, by_units))


def _free_name(wish: Wish, region: str, taken: frozenset[str]) -> str:
    stem = "-".join(part for part in (wish.model.name.lower(), region) if part)
    names = (stem if number == 1 else f"{stem}-{number}" for number in range(1, len(taken) + 2))
    return next(name for name in names if name.lower() not in taken)


def _nothing_to_run(wish: Wish, fitting: Sequence[Candidate]) -> PlaceRefused:
    model = wish.model
    if fitting:
        return PlaceRefused(
            NO_ROOM,
            f"Every instance of {model.name} is reserved, and settings alone can add one: "
            "[instances.NAME].",
        )
    return PlaceRefused(
        "DeploymentModelNotSupported",
        f"The model 'Format: {model.format}, Name: {model.name}, Version: {model.version}' of "
        "account deployment is not supported: this installation has no such model. Add it with: "
        f"linarite model add {model.name.lower()}",
    )


def _no_memory(wish: Wish, needed: int, regions: Sequence[str], room: Room) -> PlaceRefused:
    free = ", ".join(
        f"{shown(max(0, room.free_bytes.get(region, 0)))} {f'in {region}' if region else 'here'}"
        for region in regions
    )
    return PlaceRefused(
        NO_ROOM,
        f"{wish.model.name} needs about {shown(needed)} of memory, and what is not promised to "
        f"other models is {free}. Delete deployments that are not used, choose a smaller model, "
        "or raise hosting.memory_mib if the machine has more.",
    )
