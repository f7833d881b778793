"""What is told of data-plane requests, from their records."""

from __future__ import annotations

import msgspec
import pytest

from linarite.controlplane.resources.explanations.of_data_plane import (
    CERTIFICATES,
    Present,
    explained,
)
from linarite.domain.request_record import RequestRecord
from linarite.identity.certificate_holders import ISSUER


def record(**facts: object) -> RequestRecord:
    """A record of a chat, refused unless `facts` say otherwise."""
    kinds = {field.name: field.type for field in msgspec.structs.fields(RequestRecord)}
    blank = {name: kind_of(kind) for name, kind in kinds.items()}
    return RequestRecord(**(blank | {"status": 403, "finish": "refused"} | facts))  # pyright: ignore[reportArgumentType] - fields of several types


def kind_of(kind: object) -> object:
    """Nothing known, in the field's type."""
    return {int: 0, "int": 0, bool: False, "bool": False}.get(kind, "")


def told(**facts: object) -> tuple[dict[str, tuple[str, str]], str]:
    """Outcome and reason of each control, and what would have to change."""
    found = explained(record(**facts), Present(accounts=("one",)))
    steps = {step.control: (step.outcome, step.why) for step in found.steps}
    return steps, " ".join(found.would_have_to_change)


def test_a_name_that_leads_nowhere() -> None:
    """Nobody was asked for a credential, and the advice is about names."""
    steps, advice = told(status=404, error_code="404", refused_by="network")
    assert steps["network"][0] == "refused"
    assert "leads to no account" in steps["network"][1]
    assert steps["authentication"] == ("not reached", "")
    assert "(one)" in advice


def test_an_outgoing_connection_is_refused_where_the_engine_makes_it() -> None:
    """All controls before have passed."""
    steps, advice = told(error_code="OutboundAccessDenied", refused_by="network", caller_key="key1")
    assert steps["authentication"][0] == "passed"
    assert steps["engine"] == ("refused", "403 OutboundAccessDenied")
    assert "allowedFqdnList" in advice


@pytest.mark.parametrize(
    ("ending", "why", "advised"),
    [
        (": from outside its network", "not in the endpoint's network", "[networks.NAME]"),
        ("", "leads to another account", "its own private endpoint"),
    ],
)
def test_private_endpoints(ending: str, why: str, advised: str) -> None:
    """By whose endpoint it came, and from where."""
    rule = f"privateEndpoint /e{ending}"
    steps, advice = told(error_code="403", refused_by="network", network_rule=rule)
    assert why in steps["network"][1]
    assert advised in advice


def test_a_client_certificate_is_no_token() -> None:
    """It is told by its thumbprint, and rates are a control that passed."""
    facts = {"status": 200, "finish": "completed", "object_id": "o", "token_id": "ab12"}
    steps, _ = told(**facts, issuer=CERTIFICATES, instance="i")
    assert CERTIFICATES == ISSUER
    assert "client certificate with the thumbprint ab12" in steps["authentication"][1]
    assert steps["quota"][0] == "passed"


def test_what_spilled_over_says_from_where() -> None:
    """It was served: nothing of it has to change."""
    facts = {"status": 200, "finish": "completed", "caller_key": "key1", "instance": "i"}
    steps, advice = told(
        **facts, spilled_from="ptu", limited_by="deployment-tokens", service_tier="priority"
    )
    assert steps["quota"] == (
        "passed",
        "spilled over from the deployment ptu, whose deployment-tokens were used up",
    )
    assert "service tier priority" in steps["place"][1]
    assert not advice
