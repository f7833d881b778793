"""Prices as settings say them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from linarite.domain.errors import SetupError
from linarite.domain.facts import Deployment, Model, Sku
from linarite.domain.usage import usage_of
from linarite.settings import load
from linarite.telemetry.price_options import Prices, price_book

if TYPE_CHECKING:
    from pathlib import Path

CHAT = Deployment("chat", Model("gpt-4o", "1"), Sku(), "there")
FILE = """
[prices]
currency = "EUR"
priority = 3

[[prices.models]]
model = "gpt-4o"
input = 2.5
output = 10
"""


def test_a_file_makes_a_book(tmp_path: Path) -> None:
    """Per million tokens, in the file's currency; what is not said is as what it is part of."""
    file = tmp_path / "linarite.toml"
    file.write_text(FILE)
    book = price_book(load(file).settings.prices)
    assert book.currency == "EUR"
    assert book.cost_of(usage_of(1000, 100, 500), CHAT) == 1000 * 2_500 + 100 * 10_000
    assert book.cost_of(usage_of(1000, 100), CHAT, "priority") == 3 * 3_500_000


def test_nothing_is_charged_by_default() -> None:
    """No prices are shipped."""
    assert price_book(Prices()).cost_of(usage_of(10**6, 10**6), CHAT) == 0


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ('[[prices.models]]\nmodel = "a"\nimput = 1\n', "Did you mean `input`"),
        ('[[prices.models]]\nmodel = "a"\ninput = -1\n', "A million tokens of prompts"),
        ('[prices]\ncurrency = "euro"\n', "ISO 4217"),
    ],
)
def test_a_wrong_price_is_told(tmp_path: Path, wrong: str, told: str) -> None:
    """With the key and what would be right."""
    file = tmp_path / "linarite.toml"
    file.write_text(wrong)
    with pytest.raises(SetupError, match=told):
        load(file)
