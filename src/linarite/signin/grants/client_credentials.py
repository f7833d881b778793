"""An application asks for itself.

Source: learn.microsoft.com, "OAuth 2.0 client credentials flow".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.signin.grants.outcome import Outcome
from linarite.signin.grants.wanted import wanted_of
from linarite.signin.proofs.client_proof import client_of, require_proof
from linarite.signin.refusals import refused
from linarite.signin.tokens.access_token import Granted

if TYPE_CHECKING:
    from linarite.signin.desk import Desk
    from linarite.signin.request import Ask


async def client_credentials(ask: Ask, version: str, desk: Desk) -> Outcome:
    """A token for the client's own service principal. Raises SignInRefused."""
    client = await client_of(ask, desk)
    require_proof(client, "client_credentials")
    if client.principal is None:
        raise refused(700016, client=client.app_id)
    wanted = wanted_of(ask, desk)
    if not wanted.audience:
        raise refused(70011, scope=ask["scope"])
    if wanted.scopes:
        raise refused(1002012, scope=ask["scope"])
    granted = Granted(client.principal, wanted, client.app_id, client.proof, version)
    return Outcome(granted, client, client.how)
