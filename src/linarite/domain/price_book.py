"""What tokens cost, in whole billionths of a currency: no fraction of a cent is lost or invented.

Prices are told for a million tokens, as Azure's price pages and its Retail Prices API do, and are
scaled by how a deployment is placed and which service tier served. Source of the usual factors:
the meters of "Azure OpenAI Service" in that API.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from linarite.domain.facts import Deployment, Model, Sku

if TYPE_CHECKING:
    from collections.abc import Iterable

    from linarite.domain.usage import Usage
    from linarite.domain.usage_journal import BegunRequest

NANO = 1_000_000_000
"""billionths in one of a currency"""
PRICED_TOKENS = 1_000_000
ANY_MODEL = "*"
_THOUSANDTHS = 1_000


class ModelPrice(msgspec.Struct, frozen=True):
    """The price of a model: billionths of the currency for a million tokens."""

    model: str
    """`*` for every model that has no price of its own"""
    version: str = ""
    """"" for every version"""
    sku: str = ""
    """name of a SKU; "" for every SKU, scaled by the factors"""
    input: int = 0
    cached_input: int = 0
    output: int = 0
    audio_input: int = 0
    audio_output: int = 0
    long_context_tokens: int = 0
    """a prompt of more tokens is a long context; 0: none is"""


class UnitPrice(msgspec.Struct, frozen=True):
    """The price of a provisioned throughput unit: billionths of the currency for an hour."""

    hour: int
    sku: str = ""
    """name of a provisioned SKU; "" for all of them"""


class Factors(msgspec.Struct, frozen=True):
    """What prices are multiplied by, in thousandths."""

    data_zone: int = 1_100
    """a SKU that stays in a data zone, unless the price is of that SKU"""
    batch: int = 500
    flex: int = 500
    priority: int = 2_000
    long_context_input: int = 2_000
    long_context_output: int = 1_500


class _Rates(NamedTuple):
    """Billionths for a million tokens, of one model as it was deployed, in one tier."""

    input: int
    cached_input: int
    output: int
    audio_input: int
    audio_output: int


_FREE = _Rates(0, 0, 0, 0, 0)
_Both = tuple[_Rates, int, _Rates]
"""the usual rates, the most tokens of a prompt that has them, and the rates beyond"""


class PriceBook:
    """The prices of one server. Models that have none cost nothing."""

    def __init__(
        self,
        prices: Iterable[ModelPrice] = (),
        factors: Factors | None = None,
        currency: str = "USD",
        units: Iterable[UnitPrice] = (),
    ) -> None:
        """`currency` is ISO 4217's code. Of two prices for the same the later one holds."""
        self.currency = currency
        self._prices = {_key(each.model, each.version, each.sku): each for each in prices}
        self._units = {each.sku.lower(): each.hour for each in units}
        self._factors = factors or Factors()
        self._rates: dict[tuple[str, str, str, str], _Both] = {}

    def cost_of(self, usage: Usage, deployment: Deployment, tier: str = "") -> int:
        """What a request costs, in billionths, rounded to the nearest.

        `tier` is that which served it: `priority`, `flex`, `batch`; any other is as usual.
        Requests of provisioned deployments cost nothing: their throughput is paid for anyway.
        """
        if not self._prices:
            return 0
        model = deployment.model
        key = (model.name, model.version, deployment.sku.name, tier)
        found = self._rates.get(key)
        if found is None:
            # Bounded: deployments and tiers are ours to name, not a caller's.
            found = self._rates[key] = self._resolve(deployment, tier)
        usual, usual_tokens_max, beyond = found
        rates = beyond if usual_tokens_max and usage.prompt_tokens > usual_tokens_max else usual
        return _cost(usage, rates) if rates is not _FREE else 0

    def cost_of_unit_hours(self, sku: Sku) -> int:
        """What an hour of a provisioned deployment costs, in billionths."""
        price = self._units.get(sku.name.lower(), self._units.get("", 0))
        return price * sku.capacity

    def cost_of_begun(self, request: BegunRequest, usage: Usage) -> int:
        """The same of a request that was noted while it was answered."""
        where = Deployment(
            request.deployment,
            Model(request.model, request.model_version),
            Sku(request.sku),
            request.instance,
        )
        return self.cost_of(usage, where, request.service_tier)

    def price_of(self, deployment: Deployment) -> ModelPrice | None:
        """The most particular price there is for a deployment; None where it has none."""
        name, version, sku = deployment.model.name, deployment.model.version, deployment.sku.name
        for key in (
            _key(name, version, sku),
            _key(name, version, ""),
            _key(name, "", sku),
            _key(name, "", ""),
            _key(ANY_MODEL, "", sku),
            _key(ANY_MODEL, "", ""),
        ):
            if key in self._prices:
                return self._prices[key]
        return None

    def _resolve(self, deployment: Deployment, tier: str) -> _Both:
        price = self.price_of(deployment)
        if price is None or deployment.sku.provisioned:
            return _FREE, 0, _FREE
        factors, scale = self._factors, [self._factor(price, deployment.sku.name, tier)]
        usual = _rates(price, scale, scale)
        beyond = _rates(
            price,
            [*scale, factors.long_context_input],
            [*scale, factors.long_context_output],
        )
        return usual, price.long_context_tokens, beyond

    def _factor(self, price: ModelPrice, sku: str, tier: str) -> int:
        """By placement and by tier, in thousandths; a price of the SKU itself has it in it."""
        factors, by_tier, by_sku = self._factors, _THOUSANDTHS, _THOUSANDTHS
        batch = sku.endswith("Batch")
        if tier == "batch" or batch:
            by_tier = _THOUSANDTHS if batch and price.sku else factors.batch
        elif tier == "flex":
            by_tier = factors.flex
        elif tier == "priority":
            by_tier = factors.priority
        if sku.startswith("DataZone") and not price.sku:
            by_sku = factors.data_zone
        return by_tier * by_sku // _THOUSANDTHS


NO_PRICES = PriceBook()
"""nothing costs anything"""


def nano_of(amount: float) -> int:
    """An amount of a currency, as people write it, in billionths."""
    return round(amount * NANO)


def _key(model: str, version: str, sku: str) -> tuple[str, str, str]:
    return model.lower(), version, sku.lower()


def _rates(price: ModelPrice, inward: list[int], outward: list[int]) -> _Rates:
    """A price, scaled: prompts by `inward`, what is made of them by `outward`."""
    return _Rates(
        _scaled(price.input, inward),
        _scaled(price.cached_input, inward),
        _scaled(price.output, outward),
        _scaled(price.audio_input, inward),
        _scaled(price.audio_output, outward),
    )


def _scaled(amount: int, factors: list[int]) -> int:
    for factor in factors:
        amount = (amount * factor + _THOUSANDTHS // 2) // _THOUSANDTHS
    return amount


def _cost(usage: Usage, rates: _Rates) -> int:
    prompt, completion = usage.prompt_tokens, usage.completion_tokens
    heard, spoken = usage.prompt_tokens_details, usage.completion_tokens_details
    total = 0
    if heard is not None:
        cached, audio = heard.cached_tokens, heard.audio_tokens
        prompt -= cached + audio
        total = cached * rates.cached_input + audio * rates.audio_input
    if spoken is not None and spoken.audio_tokens:
        completion -= spoken.audio_tokens
        total += spoken.audio_tokens * rates.audio_output
    # An engine whose parts are more than its whole (cached audio is both) is charged the parts.
    total += max(prompt, 0) * rates.input + max(completion, 0) * rates.output
    return (total + PRICED_TOKENS // 2) // PRICED_TOKENS
