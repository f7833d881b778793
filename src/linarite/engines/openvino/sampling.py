"""OpenAI's sampling parameters in the engine's words, and what of a request it cannot do."""

from __future__ import annotations

from secrets import randbelow
from typing import TYPE_CHECKING

from linarite.domain.errors import InvalidRequest
from linarite.engines.openvino.messages import Sampling

if TYPE_CHECKING:
    from linarite.domain.chat import ChatAsk
    from linarite.domain.completion import CompletionAsk

_SEEDS = 2**32


def sampling_of(ask: ChatAsk | CompletionAsk, choice: int) -> Sampling:
    """How the tokens of one choice are chosen."""
    # With the choices of one seed all alike there would be no point in asking for several.
    seed = randbelow(_SEEDS) if ask.seed is None else (ask.seed + choice) % _SEEDS
    return Sampling(
        temperature=1.0 if ask.temperature is None else ask.temperature,
        top_p=1.0 if ask.top_p is None else ask.top_p,
        seed=seed,
        presence_penalty=ask.presence_penalty or 0.0,
        frequency_penalty=ask.frequency_penalty or 0.0,
    )


def refuse_biases(ask: ChatAsk | CompletionAsk) -> None:
    """Raise InvalidRequest where a request needs what the engine cannot do."""
    if ask.logit_bias:
        raise unsupported("logit_bias", "Leave it out")


def unsupported(param: str, instead: str) -> InvalidRequest:
    """With the service's code for a parameter that a model does not take."""
    return InvalidRequest(
        f"Unsupported parameter: '{param}' is not supported with this deployment, whose instance "
        f"runs on the openvino engine. {instead}, or use a deployment whose instance runs on the "
        "llamacpp engine: the server's settings say so with hosting.engine or "
        "instances.NAME.engine.",
        param=param,
        code="unsupported_parameter",
    )
