"""A copy of the checkout for each test that plants something."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.architecture.copies import copied, copy_of_checkout

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of everything that the laws look at, which nobody changes."""
    return copy_of_checkout(tmp_path_factory.mktemp("checkout") / "copy")


@pytest.fixture
def copy(checkout: Path, tmp_path: Path) -> Path:
    """The same, to plant in with `write`."""
    return copied(checkout, tmp_path)
