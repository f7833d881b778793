"""Choosing an instance: shared where it may be, planned where it fits, refused otherwise."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from linarite.domain.facts import Model, Sku
from linarite.domain.placement import InstanceRecord, Measured, Wish
from linarite.hosting.memory import MIB, needed_bytes
from linarite.hosting.placement import Candidate, Room, Rules, place, require_share
from linarite.hosting.regions import PlaceRefused

RULES = Rules(4, 8, 25, 10.0)
WEIGHTS = 1000 * MIB
FAST = Measured(tokens_per_second=100.0, parallel_requests=4)


def wish(sku: str = "GlobalStandard", capacity: int = 1, *, version: str = "1") -> Wish:
    """A deployment of model m."""
    return Wish("/a/deployments/d", "here", Model("M", version), Sku(sku, capacity))


def record(name: str = "m", region: str = "", **changed: Any) -> InstanceRecord:  # noqa: ANN401 - any field
    """An instance of model m."""
    given: dict[str, Any] = {
        "engine": "e",
        "version": "1",
        "slots": 4,
        "memory_bytes": needed_bytes(WEIGHTS, 4),
    }
    return InstanceRecord(name=name, model="m", region=region, **(given | changed))


def room(mib: int = 10_000, *taken: str, **regions: int) -> Room:
    """Memory in a region, or in each of several."""
    free = {name: size * MIB for name, size in (regions or {"": mib}).items()}
    return Room("llamacpp", weights_bytes=WEIGHTS, free_bytes=free, taken_names=frozenset(taken))


def test_what_is_there_is_shared() -> None:
    """Whatever the case of the model's name; unchanged, while its slots are enough."""
    there = record()
    assert place(wish(), [""], [Candidate(there, units=10)], room(), RULES) == there


def test_an_engine_that_is_asked_for_is_what_runs_it() -> None:
    """Shared where it runs the model already; those who ask for none take what is there."""
    asked = msgspec.structs.replace(wish(), engine="llamacpp")
    there = record(engine="openvino")
    planned = place(asked, [""], [Candidate(there)], room(9999, "m"), RULES)
    assert (planned.name, planned.engine, planned.wished) == ("m-2", "llamacpp", True)
    both = [Candidate(there), Candidate(planned)]
    assert place(asked, [""], both, room(), RULES) == planned
    assert place(wish(), [""], both, room(), RULES) == there
    assert place(wish(), [""], [Candidate(planned)], room(), RULES) == planned


def test_another_version_gets_an_instance_of_its_own() -> None:
    """With a name that is free; a declared instance that serves any version is shared."""
    planned = place(wish(version="2"), [""], [Candidate(record())], room(9999, "m"), RULES)
    assert (planned.name, planned.version, planned.slots) == ("m-2", "2", 4)
    declared = record("x", version="", declared=True)
    assert place(wish(version="2"), [""], [Candidate(declared)], None, RULES) == declared


@pytest.mark.parametrize(
    ("units", "capacity", "slots"), [(0, 100, 4), (0, 101, 5), (90, 60, 6), (0, 9999, 8)]
)
def test_slots_follow_the_capacity_of_all_deployments(
    units: int, capacity: int, slots: int
) -> None:
    """One for each 25 units, between 4 and 8; what it did with others is measured anew."""
    there = record(measured=FAST)
    grown = place(wish(capacity=capacity), [""], [Candidate(there, units=units)], room(), RULES)
    assert grown.slots == slots
    assert grown.memory_bytes == needed_bytes(WEIGHTS, slots)
    assert (grown.measured is None) == (slots != 4)


def test_slots_stay_within_memory() -> None:
    """Fewer where they don't fit, but never fewer than an instance has anyway."""
    six = needed_bytes(WEIGHTS, 6)
    tight = room((six - record().memory_bytes) // MIB + 1)
    assert place(wish(capacity=999), [""], [Candidate(record())], tight, RULES).slots == 6
    assert place(wish(capacity=999), [""], [Candidate(record())], room(0), RULES).slots == 4
    assert place(wish(capacity=999), [""], [], room(six // MIB + 1), RULES).slots == 6


def test_settings_instances_are_not_changed() -> None:
    """However much is asked of them."""
    declared = record(declared=True, version="")
    assert place(wish(capacity=999), [""], [Candidate(declared)], room(), RULES) == declared


def test_the_nearest_region_with_room_gets_a_new_instance() -> None:
    """In the order of preference; its name tells the region."""
    planned = place(wish(), ["a", "b"], [], room(a=1, b=5000, c=5000), RULES)
    assert (planned.region, planned.name) == ("b", "m-b")
    there = Candidate(record("far", "c"))
    assert place(wish(), ["a", "b"], [there], room(a=5000), RULES).region == "a"
    with pytest.raises(PlaceRefused) as refused:
        place(wish(), ["a", "b"], [there], room(a=1, b=2, c=9999), RULES)
    assert refused.value.code == "InsufficientResources"
    assert "1 MiB in a, 2 MiB in b" in refused.value.message
    assert "1.7 GiB" in refused.value.message


def test_a_reservation_needs_what_was_measured() -> None:
    """A full instance is passed over for a new one; without memory for one it is refused."""
    full = Candidate(record(measured=FAST), reserved=95)
    asked = wish("ProvisionedManaged", 1)
    assert place(asked, [""], [full], room(9999, "m"), RULES).name == "m-2"
    with pytest.raises(PlaceRefused, match="reserved"):
        place(asked, [""], [full], None, RULES)
    roomy = Candidate(record(measured=FAST), reserved=90)
    assert place(asked, [""], [roomy], room(), RULES) == roomy.record


def test_more_units_than_were_measured_are_refused() -> None:
    """With how many would fit."""
    require_share(wish("ProvisionedManaged", 10), FAST, 0, RULES)
    require_share(wish("Standard", 9999), FAST, 100, RULES)
    require_share(wish("ProvisionedManaged", 10), None, 0, RULES)
    with pytest.raises(PlaceRefused, match="at most 4 units"):
        require_share(wish("ProvisionedManaged", 5), FAST, 55, RULES)


def test_a_model_that_nobody_has_is_refused() -> None:
    """With Azure's code, and how to add it."""
    with pytest.raises(PlaceRefused, match="linarite model add m") as refused:
        place(wish(), [""], [], None, RULES)
    assert refused.value.code == "DeploymentModelNotSupported"


KEEPS = Rules(4, 8, 25, 10.0, keeps_prompts=True)


@pytest.mark.parametrize(
    ("accounts", "keeps"), [(set[str](), True), ({"/a"}, True), ({"/a", "/b"}, False)]
)
@pytest.mark.parametrize("memory", [None, room()])
def test_prompts_are_not_kept_for_several_accounts(
    accounts: set[str], memory: Room | None, *, keeps: bool
) -> None:
    """An instance whose engine can't tell them apart is made anew without its cache."""
    there = record(engine="openvino", keeps_prompts=True, measured=FAST)
    candidate = Candidate(there, accounts=frozenset(accounts))
    placed = place(wish(), [""], [candidate], memory, KEEPS)
    assert placed.keeps_prompts is keeps
    assert (placed == there) is keeps


def test_a_declared_instance_that_keeps_prompts_is_for_one_account() -> None:
    """Nobody may change it, so others get an instance of their own."""
    declared = record("x", engine="openvino", declared=True, keeps_prompts=True)
    own = Candidate(declared, accounts=frozenset({"/a"}))
    assert place(wish(), [""], [own], room(), KEEPS) == declared
    others = Candidate(declared, accounts=frozenset({"/b"}))
    assert place(wish(), [""], [others], room(9999, "x"), KEEPS).name == "m"


@pytest.mark.parametrize(("engine", "keeps"), [("openvino", True), ("llamacpp", False)])
def test_new_instances_keep_prompts_where_the_engine_knows_no_accounts(
    engine: str, *, keeps: bool
) -> None:
    """Llama.cpp is told apart by its slots; what it keeps is nothing that placing decides."""
    memory = Room(engine, weights_bytes=1, free_bytes={"": 10_000 * MIB}, taken_names=frozenset())
    assert place(wish(), [""], [], memory, KEEPS).keeps_prompts is keeps
    assert not place(wish(), [""], [], memory, RULES).keeps_prompts
