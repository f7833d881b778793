"""Prices: exact to the billionth, by model, version, SKU, tier and what the tokens were."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linarite.domain.facts import Deployment, Model, Sku
from linarite.domain.price_book import NO_PRICES, ModelPrice, PriceBook, nano_of
from linarite.domain.usage import CompletionTokensDetails, PromptTokensDetails, Usage, usage_of

GPT = ModelPrice(
    model="gpt-4o",
    input=nano_of(2.5),
    cached_input=nano_of(1.25),
    output=nano_of(10),
    audio_input=nano_of(40),
    audio_output=nano_of(80),
)
MILLION = usage_of(1_000_000, 1_000_000)


def deployment(model: str = "gpt-4o", sku: str = "GlobalStandard", capacity: int = 1) -> Deployment:
    """One of a model."""
    return Deployment("chat", Model(model, "2024-11-20"), Sku(sku, capacity), "there")


def cost(usage: Usage, *, sku: str = "GlobalStandard", tier: str = "") -> int:
    """By the one price above."""
    return PriceBook([GPT]).cost_of(usage, deployment(sku=sku), tier)


def test_each_kind_of_token_has_its_price() -> None:
    """Cached and audio tokens are parts of their whole and are charged once."""
    assert cost(usage_of(1000, 100, 400)) == 600 * 2_500 + 400 * 1_250 + 100 * 10_000
    spoken = Usage(
        prompt_tokens=100,
        completion_tokens=50,
        prompt_tokens_details=PromptTokensDetails(audio_tokens=60),
        completion_tokens_details=CompletionTokensDetails(audio_tokens=20, reasoning_tokens=5),
    )
    assert cost(spoken) == 40 * 2_500 + 60 * 40_000 + 30 * 10_000 + 20 * 80_000


def test_details_may_be_absent_or_overlap() -> None:
    """An engine that tells no parts is charged the whole; cached audio never makes a refund."""
    bare = Usage(10, 10, 20, None, None)
    assert cost(bare) == 10 * 2_500 + 10 * 10_000
    both = Usage(10, 0, 10, PromptTokensDetails(cached_tokens=8, audio_tokens=8))
    assert cost(both) == 8 * 1_250 + 8 * 40_000


@pytest.mark.parametrize(
    ("sku", "tier", "percent"),
    [
        ("GlobalStandard", "default", 100),
        ("GlobalStandard", "priority", 200),
        ("GlobalStandard", "flex", 50),
        ("DataZoneStandard", "", 110),
        ("DataZoneStandard", "priority", 220),
        ("GlobalBatch", "", 50),
        ("GlobalBatch", "batch", 50),
        ("GlobalStandard", "batch", 50),
        ("DataZoneBatch", "batch", 55),
        ("ProvisionedManaged", "", 0),
        ("DataZoneProvisionedManaged", "priority", 0),
    ],
)
def test_placement_and_tier_scale_it(sku: str, tier: str, percent: int) -> None:
    """By the ratios that Azure's own price list has."""
    assert cost(MILLION, sku=sku, tier=tier) == nano_of(12.5) * percent // 100


def test_the_most_particular_price_holds() -> None:
    """Version and SKU before version, before SKU, before the model, before all models."""
    book = PriceBook(
        [
            ModelPrice("*", input=1),
            ModelPrice("gpt-4o", input=2),
            ModelPrice("gpt-4o", sku="DataZoneStandard", input=3),
            ModelPrice("gpt-4o", version="2024-11-20", input=4),
            ModelPrice("GPT-4o", version="2024-11-20", sku="GlobalBatch", input=5),
        ]
    )
    usage = usage_of(1_000_000, 0)
    found = [book.cost_of(usage, deployment(sku=sku)) for sku in ("GlobalStandard", "GlobalBatch")]
    assert found == [4, 5]  # a price of a batch SKU is not halved again
    other = Deployment("chat", Model("gpt-4o", "1"), Sku("DataZoneStandard"), "there")
    assert book.cost_of(usage, other) == 3
    assert book.cost_of(usage, deployment("another")) == 1


def test_a_long_context_costs_more() -> None:
    """All of a request whose prompt is longer than the bound; one at the bound is as usual."""
    book = PriceBook(
        [ModelPrice("gpt-4o", input=1_000_000, output=1_000_000, long_context_tokens=1000)]
    )
    assert book.cost_of(usage_of(1000, 10), deployment()) == 1010
    assert book.cost_of(usage_of(1001, 10), deployment()) == 2002 + 15


def test_what_has_no_price_costs_nothing() -> None:
    """Nobody is charged invented money."""
    assert NO_PRICES.cost_of(MILLION, deployment()) == 0
    assert PriceBook([GPT]).cost_of(MILLION, deployment("another")) == 0


@given(
    st.lists(st.tuples(st.integers(0, 10**7), st.integers(0, 10**6)), min_size=1, max_size=20),
    st.floats(0, 1000),
)
def test_many_requests_cost_what_their_tokens_do(
    requests: list[tuple[int, int]], price: float
) -> None:
    """Rounding each request moves a sum by at most half a billionth a request."""
    book = PriceBook([ModelPrice("gpt-4o", input=nano_of(price), output=nano_of(price))])
    summed = sum(book.cost_of(usage_of(*each), deployment()) for each in requests)
    exact = nano_of(price) * sum(map(sum, requests))
    assert abs(summed * 1_000_000 - exact) <= len(requests) * 500_000
