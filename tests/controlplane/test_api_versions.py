"""Which api-versions are answered, and that shapes which differ are converted at the edge."""

from __future__ import annotations

from typing import Any

import pytest

from linarite.controlplane.api_versions import COGNITIVE_SERVICES
from tests.controlplane.rig import ACCOUNT, ACCOUNTS, Rig

pytestmark = pytest.mark.anyio
ONE = f"{ACCOUNTS}/one"
POLICY = f"{ONE}/raiPolicies/strict"
FILTER: dict[str, Any] = {"name": "Hate", "enabled": True, "blocking": True, "source": "Prompt"}


@pytest.fixture
async def rig() -> Rig:
    """A control plane with an account and a blocklist."""
    rig = await Rig().with_group()
    await rig.ask("PUT", ONE, ACCOUNT)
    await rig.ask("PUT", f"{ONE}/raiBlocklists/words", {"properties": {}})
    return rig


@pytest.mark.parametrize("version", COGNITIVE_SERVICES)
async def test_every_version_of_the_provider_is_answered(rig: Rig, version: str) -> None:
    """Stable and preview, whatever its case."""
    assert (await rig.ask("GET", ONE, version=version.upper())).status == 200


@pytest.mark.parametrize(
    ("version", "status"),
    [
        ("2027-01-01", 200),
        ("2030-12-31-preview", 200),
        ("2026-12-31-PREVIEW", 200),
        ("2026-08-01", 400),
        ("2016-01-01", 400),
        ("2027-13-01", 400),
        ("2027-01-01-beta", 400),
        ("20270101", 400),
        ("2027-W01-1", 400),
        ("latest", 400),
    ],
)
async def test_a_newer_version_than_all_known_is_answered(
    rig: Rig, version: str, status: int
) -> None:
    """A date after the newest one; anything else is told which there are."""
    answer = await rig.ask("GET", ONE, version=version)
    assert answer.status == status
    if status != 200:
        assert answer.body["code"] == "NoRegisteredProviderFound"
        assert "2026-07-01" in answer.body["message"]


async def test_policies_are_read_and_shown_in_the_words_of_the_version(rig: Rig) -> None:
    """Written in one version and read in another, a policy means the same."""
    old = {
        "mode": "Deferred",
        "contentFilters": [FILTER | {"allowedContentLevel": "Low"}],
        "promptBlocklists": [{"blocklistName": "words", "blocking": True}],
        "completionBlocklists": [],
    }
    sent = {"properties": old}
    made = await rig.ask("PUT", POLICY, sent, version="2024-06-01-preview")
    assert made.status == 201
    assert {key: made.body["properties"][key] for key in old} == old
    newer = (await rig.ask("GET", POLICY, version="2025-09-01")).body["properties"]
    assert newer["contentFilters"] == [FILTER | {"severityThreshold": "Low"}]
    assert newer["customBlocklists"] == [
        {"blocklistName": "words", "blocking": True, "source": "Prompt"}
    ]
    assert "promptBlocklists" not in newer
    unchanged = await rig.ask("PUT", POLICY, {"properties": newer}, version="2025-09-01")
    assert unchanged.body["etag"] == made.body["etag"]


async def test_what_older_versions_called_deferred(rig: Rig) -> None:
    """`Asynchronous_filter` is unknown to them."""
    sent = {"properties": {"mode": "Asynchronous_filter"}}
    await rig.ask("PUT", POLICY, sent)
    for version, mode in (("2024-10-01", "Deferred"), ("2025-06-01", "Asynchronous_filter")):
        shown = await rig.ask("GET", POLICY, version=version)
        assert shown.body["properties"]["mode"] == mode


async def test_nonsense_in_an_older_version_is_told(rig: Rig) -> None:
    """A wrong shape is refused as in the newest one."""
    for wrong in (
        {"promptBlocklists": [5]},
        {"contentFilters": ["Hate"]},
        {"promptBlocklists": 5},
        {"contentFilters": 5},
        {"contentFilters": [FILTER | {"allowedContentLevel": "Lowest"}]},
    ):
        sent = {"properties": wrong}
        refused = await rig.ask("PUT", POLICY, sent, version="2023-10-01-preview")
        assert (refused.status, refused.body["code"]) == (400, "InvalidRequestContent"), wrong
