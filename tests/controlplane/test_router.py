"""Paths find their rows, however long somebody makes them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from linarite.controlplane.router import Router
from tests.controlplane.rig import Rig

if TYPE_CHECKING:
    import pytest

WORDS = "/providers/x/y/z"


def test_what_follows_a_scope_is_found_after_any_scope() -> None:
    """The shortest extension wins; a path with too much after it has none."""
    router: Router[str] = Router()
    router.add("GET", "/{scope}/providers/A/b/{name}", "one")
    router.add("GET", "/{scope}/providers/A/b", "all")
    found = router.find(f"{WORDS * 3}/Providers/a/B/n")
    assert found is not None
    assert found[0] == {"GET": "one"}
    assert found[1].names == {"scope": WORDS * 3, "name": "n"}
    assert found[1].path == f"{WORDS * 3}/providers/A/b/n"
    assert router.find(f"{WORDS}/providers/A/b/n/more") is None


def test_a_long_path_is_looked_at_a_few_times(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is looked up before anybody is known, so it must not cost its length squared."""
    router: Router[str] = Router()
    router.add("GET", "/{scope}/providers/A/b/{name}", "one")
    looks: list[object] = []
    walk: Any = vars(Router)["_walk"]

    def counted(*place: object) -> object:
        looks.append(place[-1])
        return walk(*place)

    monkeypatch.setattr(Router, "_walk", counted)
    assert router.find("/providers" * 6_000) is None  # about what a request line may hold
    assert 0 < len(looks) < 20


def test_a_path_that_ends_in_its_providers_is_nothing() -> None:
    """404, not an error of ours."""

    async def ask() -> None:
        rig = Rig()
        for path in ("/subscriptions/a/b/providers", f"/subscriptions/a{WORDS}/providers"):
            assert (await rig.ask("GET", f"{path}?api-version=2025-09-01")).status == 404

    asyncio.run(ask())
