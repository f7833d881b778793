"""The keys that tokens are signed with: sealed on disk, replaced in time, published."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, RSAKey

from linarite.domain.resource import Delete, Put, Resource
from linarite.signin.directory.records import NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Callable

    from linarite.domain.resource import ResourceStore
    from linarite.domain.secret_box import SecretBox

KEY_TYPE = f"{NAMESPACE}/signingKeys"
KEY_BITS = 2048
DAY_S = 86_400
TOKEN_S_MAX = DAY_S
"""no token holds longer: how long a replaced key stays published"""
SKEW_S = 300
ALGORITHM = "RS256"
UNREADABLE = (JoseError, ValueError, TypeError, RecursionError)
"""what reading a token raises whose header or claims are not what they should be"""


class NotOurs(Exception):
    """A token that this server has not signed, or that does not hold any more."""


class StoredKey(msgspec.Struct, frozen=True, omit_defaults=True):
    """A signing key as it is kept."""

    sealed: str
    """the private key (PEM), sealed under its own name"""
    made_at: int
    replaced_at: int = 0
    """seconds since the epoch; 0 for the one that signs"""


class SigningKeys:
    """`PublishedKeys`, and what signs. `open` first."""

    def __init__(
        self,
        resources: ResourceStore,
        box: SecretBox,
        now: Callable[[], float],
        issuers: frozenset[str],
        key_days: int,
    ) -> None:
        """`issuers` are what the tokens name as `iss`."""
        self.issuers = issuers
        self._resources = resources
        self._box = box
        self._now = now
        self._key_s = key_days * DAY_S
        self._turn = asyncio.Lock()
        self._kept: dict[str, StoredKey] = {}
        """by key id"""
        self._keys: dict[str, RSAKey] = {}
        self._signing = ""
        self._over: list[str] = []
        """keys that are published no more, until they are removed from disk"""
        self._published: dict[str, Any] = {"keys": []}

    async def open(self) -> None:
        """Read the keys; make the first one."""
        for resource in await self._resources.list_under("", KEY_TYPE):
            kept = msgspec.convert(resource.properties, StoredKey)
            pem = self._box.unseal(_sealed_as(resource.name), kept.sealed)
            self._keep(resource.name, kept, await asyncio.to_thread(RSAKey.import_key, pem))
        self._choose()
        if not self._signing:
            await self.rotate()

    def key_set(self) -> dict[str, Any]:
        """`PublishedKeys.key_set`."""
        self._forget_ended()
        return self._published

    async def sign(self, claims: dict[str, Any]) -> str:
        """A token; by a new key when the old one has had its time."""
        if self._now() - self._kept[self._signing].made_at > self._key_s:
            await self.rotate(self._signing)
        signing = self._signing
        header = {"typ": "JWT", "alg": ALGORITHM, "kid": signing}
        # 0.7 ms of arithmetic, during which the interpreter is free for others.
        return await asyncio.to_thread(jwt.encode, header, claims, self._keys[signing])

    async def rotate(self, instead_of: str | None = None) -> str:
        """Sign with a new key from now on; its id. What the old one signed still holds.

        `instead_of`: only if that one still signs.
        """
        async with self._turn:
            if instead_of is not None and instead_of != self._signing:
                return self._signing
            key = await asyncio.to_thread(RSAKey.generate_key, KEY_BITS)
            name = key.thumbprint()
            moment = int(self._now())
            made = StoredKey(self._box.seal(_sealed_as(name), key.as_pem(private=True)), moment)
            old = {
                each: msgspec.structs.replace(self._kept[each], replaced_at=moment)
                for each in ([self._signing] if self._signing else [])
            }
            self._forget_ended()
            ended = tuple(self._over)
            await self._resources.commit(
                [
                    *(Put(_resource(each, kept)) for each, kept in ((name, made), *old.items())),
                    *(Delete(_id(each)) for each in ended),
                ]
            )
            self._over = [each for each in self._over if each not in ended]
            for each, kept in old.items():
                self._kept[each] = kept
            self._keep(name, made, key)
            self._choose()
            return name

    async def read(self, token: str) -> dict[str, Any]:
        """The claims of a token of ours that holds. Raises NotOurs."""
        self._forget_ended()
        keys = KeySet(list(self._keys.values()))
        try:
            claims = (await asyncio.to_thread(jwt.decode, token, keys, [ALGORITHM])).claims
        except UNREADABLE as problem:
            raise NotOurs(f"its signature does not verify ({problem})") from None
        if claims.get("iss") not in self.issuers:
            raise NotOurs("its issuer is another one")
        moment = self._now()
        if moment >= claims.get("exp", 0) + SKEW_S:
            raise NotOurs("it has expired")
        if moment < claims.get("nbf", 0) - SKEW_S:
            raise NotOurs("it is not valid yet")
        return claims

    def _keep(self, name: str, kept: StoredKey, key: RSAKey) -> None:
        self._kept[name] = kept
        self._keys[name] = RSAKey.import_key(key.as_pem(private=True), {"kid": name})

    def _choose(self) -> None:
        """The newest that was not replaced signs; publish all."""
        current = [name for name, kept in self._kept.items() if not kept.replaced_at]
        self._signing = max(current, key=lambda name: self._kept[name].made_at, default="")
        self._published = {"keys": [_public(key) for key in self._keys.values()]}

    def _ended(self) -> list[str]:
        oldest = self._now() - TOKEN_S_MAX - SKEW_S
        return [name for name, kept in self._kept.items() if 0 < kept.replaced_at < oldest]

    def _forget_ended(self) -> None:
        """Publish no key whose last token has ended. On disk it goes with the next rotation."""
        ended = self._ended()
        for name in ended:
            del self._kept[name], self._keys[name]
        self._over += ended
        if ended:
            self._choose()


def _public(key: RSAKey) -> dict[str, Any]:
    public = key.as_dict(private=False)
    name = str(public["kid"])
    return {
        "kty": "RSA",
        "use": "sig",
        "alg": ALGORITHM,
        "kid": name,
        "x5t": name,
        "n": public["n"],
        "e": public["e"],
    }


def _sealed_as(name: str) -> str:
    return f"signing key {name}"


def _id(name: str) -> str:
    return f"/providers/{KEY_TYPE}/{name}"


def _resource(name: str, kept: StoredKey) -> Resource:
    return Resource(id=_id(name), type=KEY_TYPE, name=name, properties=msgspec.to_builtins(kept))
