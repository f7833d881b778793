"""The ledger that settings choose."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from linarite.controlplane.options import Quota
from linarite.controls.egress import EgressDialer, EgressPolicy
from linarite.domain.errors import SetupError
from linarite.quota_parts import open_shared_ledger
from linarite.serving_plan import ledger_hosts
from linarite.settings import load

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.anyio
async def test_without_its_library_the_start_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is an extra."""
    for name in [name for name in sys.modules if name.startswith("linarite.storage.valkey.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "hiredis", None)
    with pytest.raises(SetupError, match=r"pip install 'linarite\[valkey\]'"):
        await open_shared_ledger(Quota(ledger="valkey://store"), EgressDialer(EgressPolicy()))


def test_the_store_s_hosts_are_named_for_the_ledger_alone() -> None:
    """All of them; none where it is in memory."""
    assert ledger_hosts(Quota(ledger="valkey://a:1,b")) == {"a", "b"}
    assert ledger_hosts(Quota()) == frozenset()


def test_the_password_need_not_stand_in_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And is shown nowhere."""
    file = tmp_path / "linarite.toml"
    file.write_text('[quota]\nledger = "valkey://a"\nledger_password = "env:STORE_PASSWORD"\n')
    monkeypatch.setenv("STORE_PASSWORD", "s3cret")
    quota = load(file).settings.quota
    assert quota.ledger_password == "s3cret"
    assert "s3cret" not in repr(quota)
