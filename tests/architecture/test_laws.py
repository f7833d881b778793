"""The laws hold in this checkout."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.architecture.laws import LAWS

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("law", LAWS)
def test_law_is_kept(law: str) -> None:
    """Nothing in the checkout breaks the law."""
    violations = LAWS[law](ROOT)
    assert not violations, "\n" + "\n".join(violations)
