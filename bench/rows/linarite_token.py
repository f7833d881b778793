"""Linarite for callers with access tokens: signature remembered, role asked at each request."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any
from urllib.request import Request, urlopen

from joserfc import jwk, jwt

from bench.fake_upstream import MODEL
from bench.load.target import Target
from bench.rows.linarite import CONFIG, launch, ready_target
from bench.rows.process_row import ProcessRow

if TYPE_CHECKING:
    from pathlib import Path

ISSUER = "https://bench.example/"
CALLER = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-000000000001"
OPENAI_USER = "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd"
AUTHORIZATION = "/providers/Microsoft.Authorization"
HOUR_S = 3600
CLAIMS = {
    "aud": "https://cognitiveservices.azure.com",
    "iss": ISSUER,
    "tid": CALLER,
    "oid": CALLER,
    "sub": CALLER,
    "appid": CALLER,
    "idtyp": "app",
    # As long as usual ones are: some 1,300 characters with the signature.
    "rh": "x" * 60,
    "uti": "x" * 22,
    "xms_ftd": "x" * 64,
    "ver": "1.0",
}


class Signer:
    """An issuer of tokens, whose key set is a file."""

    def __init__(self, key_set: Path) -> None:
        self._key = jwk.RSAKey.generate_key(2048, {"kid": "bench", "use": "sig"})
        key_set.write_text(json.dumps({"keys": [self._key.as_dict(private=False)]}), "utf-8")
        self.settings = f'[issuers.bench]\nissuer = "{ISSUER}"\nkey_set_file = "{key_set}"\n'
        """of a server that believes it"""

    def headers(self) -> dict[str, str]:
        """Those of a call with a token that holds for an hour."""
        now = int(time.time())
        times = {"iat": now, "nbf": now, "exp": now + HOUR_S}
        token = jwt.encode({"alg": "RS256", "kid": "bench"}, CLAIMS | times, self._key)
        return {"authorization": f"Bearer {token}"}


class LinariteTokenRow(ProcessRow):
    """The same server and request as the row of a key, but for who calls."""

    def __init__(self, name: str = "a token on Linarite") -> None:
        super().__init__(name)
        self.serving: dict[str, Any] = {}
        """how its control plane is reached, once it is started"""

    async def start(self, folder: Path, upstream_port: int, cores: set[int]) -> None:
        """Start it, give the caller a role, and wait for the deployment. Raises Unavailable."""
        home = folder / self.name.replace(" ", "-")
        # A server looks at its own key set again and again: each has a file of its own.
        signer = Signer(home.with_suffix(".keys.json"))
        config = CONFIG.format(model=MODEL, upstream_port=upstream_port) + signer.settings
        self._started = launch(home, self.configured(config, folder), cores=cores)
        by_key = await ready_target(home, self._started, MODEL)
        self.serving = json.loads((home / "ready.json").read_text(encoding="utf-8"))
        self.prepare()
        self._target = Target(by_key.port, by_key.path, MODEL, signer.headers())

    def prepare(self) -> None:
        """Have the control plane do what a call needs."""
        give_role(self.serving)

    def configured(self, config: str, folder: Path) -> str:  # noqa: ARG002 - for who adds to it
        """Its settings, of which this row has nothing to change; `folder` takes what it writes."""
        return config


def give_role(serving: dict[str, Any]) -> None:
    """The caller may use the models of all accounts."""
    path = f"{SUBSCRIPTION}{AUTHORIZATION}/roleAssignments/{CALLER}?api-version=2022-04-01"
    role = f"{AUTHORIZATION}/roleDefinitions/{OPENAI_USER}"
    properties = {
        "roleDefinitionId": role,
        "principalId": CALLER,
        "principalType": "ServicePrincipal",
    }
    put(serving, path, properties)


def put(serving: dict[str, Any], path: str, properties: dict[str, Any]) -> None:
    """Make a resource of the server's control plane."""
    request = Request(  # noqa: S310 - our own server
        serving["endpoint"].rstrip("/") + path,
        json.dumps({"properties": properties}).encode(),
        method="PUT",
    )
    request.add_header("authorization", f"Bearer {serving['management_key']}")
    request.add_header("content-type", "application/json")
    with urlopen(request, timeout=30) as answer:  # noqa: S310 - as above
        answer.read()
