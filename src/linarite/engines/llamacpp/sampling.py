"""OpenAI's sampling parameters in llama.cpp's words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from linarite.domain.engine import SamplingAdvice
from linarite.domain.errors import InvalidRequest
from linarite.engines.text_chat.stops import stops_of

if TYPE_CHECKING:
    from linarite.domain.chat import ChatAsk
    from linarite.domain.completion import CompletionAsk
    from linarite.engines.llamacpp.options import LlamacppOptions

# OpenAI's own, in its order. llama.cpp's others (top-k, dry, …) would silently narrow what
# temperature 1 and top_p 1 promise; min-p does so only where an option says it.
_SAMPLERS = ["penalties", "temperature", "top_p"]
_SAMPLERS_WITH_FLOOR = ["penalties", "temperature", "min_p", "top_p"]
# Where the likeliest token is all there is to find. After the samplers above, one is drawn from
# the whole vocabulary, on one thread, while the others wait.
_GREEDY = {"samplers": ["penalties", "top_k"], "top_k": 1}
AZURE_DEFAULTS = SamplingAdvice(temperature=1.0, top_p=1.0)
"""what the service's reference says for a request that names none"""
_SEEDS = 2**32 - 1
"""seeds are below this; the number itself means a random one"""
_RANDOM_SEED = 2**32 - 1
_BIAS_MAX = 100.0


def sampling_of(
    ask: ChatAsk | CompletionAsk,
    options: LlamacppOptions,
    choice: int,
    defaults: SamplingAdvice = AZURE_DEFAULTS,
) -> dict[str, Any]:
    """What to send for one choice. Raises InvalidRequest."""
    temperature = defaults.temperature if ask.temperature is None else ask.temperature
    top_p = defaults.top_p if ask.top_p is None else ask.top_p
    fields: dict[str, Any] = {
        "stream": True,
        # Makes the engine write while it computes the prompt: only by a failing write does it
        # notice that nobody is there any more.
        "return_progress": True,
        **(_drawn(options.min_p) if temperature and top_p else _GREEDY),
        "temperature": temperature,
        "top_p": top_p,
        # With the choices of one seed all alike there would be no point in asking for several.
        "seed": _RANDOM_SEED if ask.seed is None else (ask.seed + choice) % _SEEDS,
        "cache_prompt": options.prompt_cache
        and (ask.seed is None or not options.seed_skips_prompt_cache),
    }
    if ask.presence_penalty or ask.frequency_penalty:
        fields["presence_penalty"] = ask.presence_penalty or 0.0
        fields["frequency_penalty"] = ask.frequency_penalty or 0.0
        fields["repeat_last_n"] = options.penalty_last_tokens
    if ask.logit_bias:
        fields["logit_bias"] = _biases(ask.logit_bias)
    if ask.stop:
        fields["stop"] = stops_of(ask.stop)
    return fields


def _drawn(min_p: float) -> dict[str, Any]:
    if not min_p:
        return {"samplers": _SAMPLERS}
    return {"samplers": _SAMPLERS_WITH_FLOOR, "min_p": min_p}


def _biases(logit_bias: dict[str, float]) -> list[list[float]]:
    biases: list[list[float]] = []
    for token, bias in logit_bias.items():
        if not (token.isascii() and token.isdigit()) or not -_BIAS_MAX <= bias <= _BIAS_MAX:
            raise InvalidRequest(
                "Invalid 'logit_bias': its keys are token ids as text, such as '50256', and its "
                "values numbers between -100 and 100.",
                param="logit_bias",
            )
        biases.append([int(token), bias])
    return biases
