"""What every store of alerts' states does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from linarite.domain.alerts import AlertState
from linarite.domain.outbox import Letter

if TYPE_CHECKING:
    from linarite.domain.alerts import AlertStates

pytestmark = pytest.mark.anyio


def state(key: str) -> AlertState:
    """An alert with something still to be told."""
    letter = Letter(id="m", destination="d", type="t", body="{}", made_at="a", due_at="b")
    return AlertState(
        key=key, rule_id="/R", alert_id="i", dimensions={"a": "b"}, fired_at="c", letters=[letter]
    )


async def test_states_are_written_over_and_forgotten(alert_states: AlertStates) -> None:
    """By key; all are read in the order of their keys."""
    assert await alert_states.all() == []
    told = msgspec.structs.replace(state("b"), letters=[], well_count=2)
    for each in (state("b"), state("a"), told):
        await alert_states.keep(each)
    assert await alert_states.all() == [state("a"), told]
    await alert_states.forget(["a", "never"])
    assert await alert_states.all() == [told]
