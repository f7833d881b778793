"""Keys are sealed, replaced in time, and published as long as tokens of theirs hold."""

from __future__ import annotations

import pytest

from linarite.signin.tokens.signing_keys import DAY_S, KEY_TYPE, NotOurs, SigningKeys
from linarite.storage.memory.resources import MemoryResourceStore
from linarite.storage.sealing import Sealing

ISSUER = "https://sts.example/t/"


class Clock:
    """A clock that stands until it is set."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        """The time."""
        return self.now


async def opened(resources: MemoryResourceStore, clock: Clock, days: int = 90) -> SigningKeys:
    """Keys over what is stored."""
    box = Sealing(b"0" * 32).box
    keys = SigningKeys(resources, box, clock, frozenset((ISSUER,)), days)
    await keys.open()
    return keys


def claims_at(clock: Clock) -> dict[str, object]:
    """Claims of a token that is made now."""
    return {"iss": ISSUER, "nbf": int(clock.now), "exp": int(clock.now) + 3600, "tid": "t"}


@pytest.mark.anyio
async def test_keys_outlive_the_process_and_are_sealed() -> None:
    """The next start signs with the same key; nothing private is stored in the clear."""
    resources, clock = MemoryResourceStore(), Clock()
    first = await opened(resources, clock)
    token = await first.sign(claims_at(clock))
    again = await opened(resources, clock)
    assert again.key_set() == first.key_set()
    assert (await again.read(token))["tid"] == "t"
    (kept,) = await resources.list_under("", KEY_TYPE)
    assert "PRIVATE" not in str(kept.properties)


@pytest.mark.anyio
async def test_an_old_key_is_replaced_and_published_until_its_tokens_end() -> None:
    """After its days another one signs; a day later the old one is published no more."""
    resources, clock = MemoryResourceStore(), Clock()
    keys = await opened(resources, clock, days=1)
    old = await keys.sign(claims_at(clock))
    clock.now += DAY_S + 1
    new = await keys.sign(claims_at(clock))
    assert len(keys.key_set()["keys"]) == 2
    assert (await keys.read(new))["iss"] == ISSUER
    with pytest.raises(NotOurs, match="expired"):
        await keys.read(old)
    clock.now += DAY_S + 301
    assert len(keys.key_set()["keys"]) == 1
    await keys.rotate()
    assert len(await resources.list_under("", KEY_TYPE)) == 2


@pytest.mark.anyio
async def test_what_others_signed_is_not_ours() -> None:
    """Another server's key, another issuer, no token at all."""
    clock = Clock()
    keys = await opened(MemoryResourceStore(), clock)
    other = await opened(MemoryResourceStore(), clock)
    foreign = await keys.sign({**claims_at(clock), "iss": "https://elsewhere.example/"})
    for token in (await other.sign(claims_at(clock)), foreign, "", "a.b.c", "🦆"):
        with pytest.raises(NotOurs):
            await keys.read(token)
