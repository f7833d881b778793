"""The tenant stays what it was."""

from __future__ import annotations

import uuid

import pytest

from linarite.identity.tenant import tenant_of
from linarite.storage.memory.resources import MemoryResourceStore

NAMED = "8A0B6C1E-0000-4000-8000-00000000ABCD"


@pytest.mark.anyio
async def test_the_tenant_is_made_once() -> None:
    """The second start finds what the first one made: a GUID."""
    resources = MemoryResourceStore()
    made = await tenant_of(resources)
    assert str(uuid.UUID(made)) == made
    assert await tenant_of(resources) == made


@pytest.mark.anyio
async def test_settings_may_name_it() -> None:
    """What settings name wins, in lower case, and does not replace what was made."""
    resources = MemoryResourceStore()
    made = await tenant_of(resources)
    assert await tenant_of(resources, NAMED) == NAMED.lower()
    assert await tenant_of(resources) == made
