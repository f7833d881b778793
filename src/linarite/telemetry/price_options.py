"""What settings say about prices. None are shipped: nobody is charged invented money."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from linarite.domain.price_book import Factors, ModelPrice, PriceBook, UnitPrice, nano_of

THOUSANDTHS = 1_000


class ModelPriceSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The price of one model. Amounts are of the currency, for a million tokens."""

    model: Annotated[
        str,
        Meta(description="Name of the model; `*` for those without a price.", min_length=1),
    ]
    version: Annotated[str, Meta(description="Of this version alone; empty: of every one.")] = ""
    sku: Annotated[
        str,
        Meta(
            description="Of this SKU alone (`DataZoneStandard`); empty: of every one, with the "
            "factors below."
        ),
    ] = ""
    input: Annotated[float, Meta(description="A million tokens of prompts.", ge=0)] = 0.0
    cached_input: Annotated[
        float, Meta(description="A million that the prefix cache had; 0: as `input`.", ge=0)
    ] = 0.0
    output: Annotated[float, Meta(description="A million tokens of answers.", ge=0)] = 0.0
    audio_input: Annotated[
        float, Meta(description="A million tokens of audio in prompts; 0: as `input`.", ge=0)
    ] = 0.0
    audio_output: Annotated[
        float, Meta(description="A million tokens of audio in answers; 0: as `output`.", ge=0)
    ] = 0.0
    long_context_tokens: Annotated[
        int,
        Meta(description="A prompt of more tokens has the price of a long context; 0: none.", ge=0),
    ] = 0


class UnitPriceSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The price of provisioned throughput units."""

    hour: Annotated[float, Meta(description="One unit for an hour, of the currency.", ge=0)]
    sku: Annotated[
        str,
        Meta(
            description="Of this SKU alone (`GlobalProvisionedManaged`); empty: of every "
            "provisioned one."
        ),
    ] = ""


class Prices(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What models cost, and what that is multiplied by."""

    currency: Annotated[
        str, Meta(description="Currency of all prices, by ISO 4217's code.", pattern="^[A-Z]{3}$")
    ] = "USD"
    data_zone: Annotated[float, Meta(description="Factor of DataZone SKUs.", ge=0)] = 1.1
    batch: Annotated[float, Meta(description="Factor of batch.", ge=0)] = 0.5
    flex: Annotated[float, Meta(description="Factor of the service tier flex.", ge=0)] = 0.5
    priority: Annotated[float, Meta(description="Factor of the service tier priority.", ge=0)] = 2.0
    long_context_input: Annotated[
        float, Meta(description="Factor of prompts that are a long context.", ge=0)
    ] = 2.0
    long_context_output: Annotated[
        float, Meta(description="Factor of answers to a long context.", ge=0)
    ] = 1.5
    models: Annotated[
        list[ModelPriceSettings],
        Meta(description="What models cost. Empty: no tokens cost anything."),
    ] = []
    provisioned: Annotated[
        list[UnitPriceSettings],
        Meta(description="What provisioned throughput costs. Empty: nothing."),
    ] = []


def price_book(said: Prices) -> PriceBook:
    """The book of what settings say."""
    factors = Factors(
        data_zone=_thousandths(said.data_zone),
        batch=_thousandths(said.batch),
        flex=_thousandths(said.flex),
        priority=_thousandths(said.priority),
        long_context_input=_thousandths(said.long_context_input),
        long_context_output=_thousandths(said.long_context_output),
    )
    units = [UnitPrice(nano_of(each.hour), each.sku) for each in said.provisioned]
    return PriceBook(map(_model_price, said.models), factors, said.currency, units)


def _model_price(said: ModelPriceSettings) -> ModelPrice:
    return ModelPrice(
        model=said.model,
        version=said.version,
        sku=said.sku,
        input=nano_of(said.input),
        cached_input=nano_of(said.cached_input or said.input),
        output=nano_of(said.output),
        audio_input=nano_of(said.audio_input or said.input),
        audio_output=nano_of(said.audio_output or said.output),
        long_context_tokens=said.long_context_tokens,
    )


def _thousandths(factor: float) -> int:
    return round(factor * THOUSANDTHS)
