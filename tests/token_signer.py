"""Signs access tokens for tests, good ones and any other."""

from __future__ import annotations

import json
import time
from base64 import urlsafe_b64encode
from typing import Any

from joserfc import jwk, jws

TENANT = "11111111-2222-4333-8444-555555555555"
SOMEBODY = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
DATA = "https://cognitiveservices.azure.com"
MANAGEMENT = "https://management.azure.com"
ALGORITHMS = jws.JWSRegistry.algorithms


class Signer:
    """An issuer's private key and what a usual token of it says."""

    def __init__(self, issuer: str, kid: str = "first", algorithm: str = "RS256") -> None:
        self.issuer = issuer
        self.kid = kid
        self.algorithm = algorithm
        self.key = new_key(algorithm, kid)

    @property
    def key_set(self) -> dict[str, Any]:
        """What the issuer publishes."""
        return {"keys": [self.public]}

    @property
    def public(self) -> dict[str, Any]:
        """The public key as a JSON Web Key."""
        return {**self.key.as_dict(private=False), "kid": self.kid, "use": "sig"}

    def claims(self, **other: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
        """A usual token's claims, as Entra ID writes them; a value of None leaves a claim out."""
        now = int(time.time())
        usual = {
            "aud": DATA,
            "iss": self.issuer,
            "iat": now - 60,
            "nbf": now - 60,
            "exp": now + 3600,
            "tid": TENANT,
            "oid": SOMEBODY,
            "sub": SOMEBODY,
            "appid": "99999999-8888-4777-8666-555555555555",
            "idtyp": "app",
            "uti": "unique",
            "ver": "1.0",
        }
        return {name: value for name, value in (usual | other).items() if value is not None}

    def header(self, **other: Any) -> dict[str, Any]:  # noqa: ANN401 - as above
        """A usual token's header; a value of None leaves a member out."""
        usual = {"typ": "JWT", "alg": self.algorithm, "kid": self.kid}
        return {name: value for name, value in (usual | other).items() if value is not None}

    def token(self, **claims: Any) -> str:  # noqa: ANN401 - as above
        """A good token but for what the claims say."""
        return self.sign(self.header(), self.claims(**claims))

    def sign(self, header: dict[str, Any] | bytes, claims: dict[str, Any] | bytes) -> str:
        """Any header and any payload, properly signed with this key."""
        first = header if isinstance(header, bytes) else json.dumps(header).encode()
        second = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
        signing_input = f"{base64url(first)}.{base64url(second)}"
        return f"{signing_input}.{base64url(self.signature(signing_input.encode()))}"

    def signature(self, text: bytes) -> bytes:
        """The signature of some bytes."""
        return ALGORITHMS[self.algorithm].sign(text, self.key)


def new_key(algorithm: str, kid: str) -> Any:  # noqa: ANN401 - one of joserfc's kinds
    """A private key for an algorithm."""
    parameters: Any = {"kid": kid}
    if algorithm.startswith("ES"):
        curve: Any = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}[algorithm]
        return jwk.ECKey.generate_key(curve, parameters)
    if algorithm in {"EdDSA", "Ed25519"}:
        return jwk.OKPKey.generate_key("Ed25519", parameters)
    return jwk.RSAKey.generate_key(2048, parameters)


def base64url(raw: bytes) -> str:
    """Without padding, as tokens have it."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
