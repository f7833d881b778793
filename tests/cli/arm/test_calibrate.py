"""`linarite deployment calibrate` for people whose roles end at the account."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import pytest

from linarite.cli.arm.flags import AccountFlags, OutputFlags
from linarite.cli.arm.refusals import ServerRefused
from linarite.cli.arm.server import Address, Reply, Server
from linarite.cli.deployment.calibrate import Calibrate, calibrate
from linarite.cli.deployment.flags import DeploymentFlags

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = pytest.mark.anyio

GROUP = "/subscriptions/s/resourceGroups/g"
ACCOUNT = f"{GROUP}/providers/Microsoft.CognitiveServices/accounts/a"
DEPLOYMENT = {"properties": {"model": {"name": "gpt-4o", "version": "1"}}}


class OfAccount(Server):
    """A server that lets its caller do everything to the account and nothing beside it."""

    async def send(
        self,
        method: str,
        path: str,
        *,
        version: str = "",
        query: Mapping[str, str] | None = None,
        body: object = None,
        only_new: bool = False,
    ) -> Reply:
        """As its rules say."""
        del method, version, query, body, only_new
        if not path.startswith(ACCOUNT):
            raise ServerRefused("AuthorizationFailed", status=HTTPStatus.FORBIDDEN)
        return Reply(200, {}, DEPLOYMENT)


async def test_who_may_not_read_the_result_is_told_so(capsys: pytest.CaptureFixture[str]) -> None:
    """It was measured all the same, and that is no failure."""
    server = OfAccount(Address("http://127.0.0.1:1", "k", account_id=ACCOUNT))
    named = DeploymentFlags(deployment="chat")
    await calibrate(server, named, Calibrate(), AccountFlags(), OutputFlags())
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("It is calibrated.")
