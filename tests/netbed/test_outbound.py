"""What an account and its perimeter let the server reach, by the packets that leave it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from linarite.cli.netbed.layout import PARTNER, PUBLIC, SERVER
from tests.netbed.capture import Capture
from tests.netbed.outside import SAYS, outside_of
from tests.netbed.perimeter import logging, perimeter
from tests.netbed.sides import ALPHA, BETA, MODEL, OUTSIDE, OUTSIDE_PORT, PORT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.netbed.client import Told
    from tests.netbed.sides import Sides

FETCHABLE = f"http://{PARTNER.address}:{OUTSIDE_PORT}/cat.png"
INBOUND = "NspPublicInboundPerimeterRulesAllowed"


@pytest.fixture(scope="module", autouse=True)
def _outside(standing: Sides) -> Iterator[None]:
    """The partner's model, and a deployment of it in each account."""
    with outside_of(standing.bed):
        for account in (ALPHA, BETA):
            ended = standing.management.deploy(account, OUTSIDE, OUTSIDE, "GlobalStandard")
            assert ended.get("status", "Succeeded") == "Succeeded", ended
        yield


def ask(sides: Sides, account: str) -> Told:
    """A chat that the partner's host would have to answer."""
    public = sides.clients["public"]
    return public.chat(
        f"http://{PUBLIC.server_address}:{PORT}/{account}", sides.keys[account], OUTSIDE
    )


@contextmanager
def calls_outside(sides: Sides, *, made: bool) -> Iterator[None]:
    """Whether, while the block runs, a packet of the server goes to the partner's model."""
    with Capture(sides.bed, SERVER) as seen:
        yield
    sent = seen.packets(
        lambda each: each.target == PARTNER.address and each.target_port == OUTSIDE_PORT
    )
    assert bool(sent) is made, sent


def assert_refused(told: Told, setting: str) -> None:
    """In Azure's words, with what to change."""
    assert told.status == 403, told
    assert told.body["error"]["code"] == "OutboundAccessDenied"
    assert PARTNER.address in told.body["error"]["message"]
    assert setting in told.body["error"]["message"]


def test_an_account_reaches_what_its_list_names(sides: Sides) -> None:
    """Of a refused call not even a first packet leaves; another account is not restricted."""
    with calls_outside(sides, made=True), logging(sides):
        assert ask(sides, ALPHA).text == SAYS
    with calls_outside(sides, made=False), logging(sides, EgressRefused={PARTNER.address: 2}):
        for names in ([], ["example.com", "10.77.2.11"]):
            sides.set(restrictOutboundNetworkAccess=True, allowedFqdnList=names)
            assert_refused(ask(sides, ALPHA), "allowedFqdnList")
    with calls_outside(sides, made=True), logging(sides):
        assert ask(sides, BETA).text == SAYS
        sides.set(restrictOutboundNetworkAccess=True, allowedFqdnList=[PARTNER.address])
        assert ask(sides, ALPHA).text == SAYS


@pytest.mark.parametrize(
    ("part", "more"),
    [
        ({"type": "image_url", "image_url": {"url": FETCHABLE}}, {}),
        ({"type": "file", "file": {"filename": "a.pdf", "file_data": FETCHABLE}}, {}),
        ({"type": "file", "file": {"file_id": FETCHABLE}}, {}),
        (
            {"type": "text", "text": "Hello"},
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "a", "schema": {"$ref": FETCHABLE}},
                }
            },
        ),
    ],
    ids=["image_url", "file_data", "file_id", "$ref"],
)
def test_what_a_request_names_is_not_fetched(
    sides: Sides, part: dict[str, Any], more: dict[str, Any]
) -> None:
    """Though an upstream is allowed there: no packet leaves for a URL in a chat."""
    message = {"role": "user", "content": [{"type": "text", "text": "Look:"}, part]}
    with calls_outside(sides, made=False):
        told = sides.clients["public"].chat(
            f"http://{PUBLIC.server_address}:{PORT}/{ALPHA}",
            sides.keys[ALPHA],
            MODEL,
            options={"messages": [message], **more},
        )
    assert told.status in {200, 400}, told


def test_a_perimeter_is_learned_from_and_then_kept(sides: Sides) -> None:
    """Outbound: Learning lets pass and tells; Enforced sends nothing that no rule names."""
    passed, denied = (
        f"NspPublicOutbound{each}" for each in ("ResourceRulesAllowed", "PerimeterRulesDenied")
    )
    with perimeter(sides, "Learning") as edge:
        edge.rule("doors", direction="Inbound", addressPrefixes=["0.0.0.0/0"])
        with (
            calls_outside(sides, made=True),
            logging(sides, **{passed: {PARTNER.address: 1}, INBOUND: {PUBLIC.address: 1}}),
        ):
            assert ask(sides, ALPHA).text == SAYS
        edge.associate("Enforced")
        with (
            calls_outside(sides, made=False),
            logging(sides, **{denied: {PARTNER.address: 1}, INBOUND: {PUBLIC.address: 1}}),
        ):
            assert_refused(ask(sides, ALPHA), "fullyQualifiedDomainNames")
        edge.rule("partner", direction="Outbound", fullyQualifiedDomainNames=[PARTNER.address])
        with calls_outside(sides, made=True):
            assert ask(sides, ALPHA).text == SAYS
        # The account's own list is asked beside it.
        sides.set(restrictOutboundNetworkAccess=True, allowedFqdnList=["example.com"])
        with calls_outside(sides, made=False):
            assert_refused(ask(sides, ALPHA), "allowedFqdnList")
