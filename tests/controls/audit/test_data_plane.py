"""What of finished requests is audited."""

from __future__ import annotations

import pytest

from linarite.controls.audit.data_plane import DataPlaneAudit
from linarite.controls.audit.options import Audit
from linarite.domain.audit import DATA_PLANE_REFUSAL, KEY_USE
from tests.controlplane.rig import HandedIn
from tests.storage.builders import make_record

KEY_ID = "/a/one/providers/Linarite.Access/applicationKeys/web"


def test_an_application_key_is_named_with_what_let_it_in() -> None:
    """Once in a while for each address, as Azure's two keys are."""
    trail = HandedIn()
    audit = DataPlaneAudit(trail, Audit())
    for _ in range(3):
        audit.observe(make_record(caller_key="app:web", decided_by=KEY_ID, account_id="/a/one"))
    audit.observe(make_record(caller_key="key1", decided_by="", account_id="/a/one"))
    told = [(each.category, each.principal, each.decided_by) for each in trail.events]
    assert told == [(KEY_USE, "app:web", KEY_ID), (KEY_USE, "key1", "key")]


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_was_refused_has_opened_nothing(status: int) -> None:
    """A refusal that names it, and no use."""
    trail = HandedIn()
    DataPlaneAudit(trail, Audit()).observe(
        make_record(status=status, caller_key="app:web", refused_by="authentication")
    )
    (event,) = trail.events
    assert (event.category, event.principal) == (DATA_PLANE_REFUSAL, "app:web")
