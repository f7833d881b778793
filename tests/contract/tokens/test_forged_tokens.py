"""What opens nothing opens nothing, on either plane of a real server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.forged_tokens import FORGED, GOOD

if TYPE_CHECKING:
    from tests.contract.tokens.conftest import Guarded

REFUSED_BY_ARM = {
    "InvalidAuthenticationToken",
    "ExpiredAuthenticationToken",
    "InvalidAuthenticationTokenAudience",
    "InvalidAuthenticationTokenTenant",
}


def test_a_good_token_opens_both_planes(guarded: Guarded) -> None:
    """So that what follows says something."""
    assert guarded.chat(GOOD.token()).status_code == 200
    assert guarded.groups(GOOD.token()).status_code == 200


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_token_opens_nothing(guarded: Guarded, name: str) -> None:
    """Twice each: the second time it may have been remembered."""
    token = FORGED[name]()
    for _ in range(2):
        answer = guarded.chat(token)
        code = answer.json()["error"]["code"]
        assert (answer.status_code, code) in {(401, "Unauthorized"), (400, "BadRequest")}
        answer = guarded.groups(token)
        assert answer.status_code == 401
        assert answer.json()["error"]["code"] in REFUSED_BY_ARM
        assert "authorization_uri=" in answer.headers["www-authenticate"]
    assert "Traceback" not in guarded.server.said
