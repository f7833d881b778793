from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from linarite.domain.errors import SetupError
from linarite.engines.simulator.options import SimulatorOptions, Wraps
from tests.engines.simulator.builders import simulator

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"tokens_per_second": -1}, ["instances.sim.options.tokens_per_second", ">= 0", "Pace"]),
        ({"jitter": 2}, ["options.jitter", "<= 1"]),
        ({"context_tokens": "many"}, ["options.context_tokens", "`int`", "Tokens a request may"]),
        ({"tempo": 3}, ["`tempo`", "tokens_per_second", "fault_script"]),
        ({"faults": [{"kind": "fire", "rate": 1}]}, ["options.faults[0].kind", "'fire'"]),
        ({"faults": [{"kind": "429"}]}, ["options.faults[0]", "rate", "every_nth"]),
        ({"faults": [{"kind": 429, "rate": 0.5, "every_nth": 2}]}, ["either a rate"]),
        ({"fault_script_repeats": True}, ["fault_script_repeats needs a fault_script"]),
        ({"operations": []}, ["options.operations", "length >= 1"]),
        ({"replay_folder": "/no/such/folder"}, ["replay_folder", "is no folder", "record_folder"]),
        ({"wraps": {"engine": "abacus"}}, ["instances.sim.options.wraps.engine", "abacus"]),
    ],
)
def test_wrong_options_are_refused_with_the_key_and_the_fix(
    options: dict[str, Any], words: list[str]
) -> None:
    """A person who mistypes an option reads which one and what it may be."""
    with pytest.raises(SetupError) as refused:
        simulator(**options)
    for word in words:
        assert word in refused.value.message


def test_every_option_has_a_default() -> None:
    """An instance without options works."""
    assert SimulatorOptions().operations == ["chat", "completion", "embeddings"]
    simulator()


def test_a_status_may_be_a_number_or_a_text() -> None:
    """`kind = 429` and `kind = "429"` mean the same."""
    simulator(faults=[{"kind": 429, "rate": 0.1}, {"kind": "429", "rate": 0.1}])


def test_the_options_of_a_wrapped_engine_are_not_shown() -> None:
    """They may hold a key."""
    assert "s3cret" not in repr(Wraps(engine="upstream", options={"api_key": "s3cret"}))


def test_a_folder_of_recordings_may_be_empty(tmp_path: Path) -> None:
    """Only its absence is a mistake."""
    simulator(replay_folder=str(tmp_path))
