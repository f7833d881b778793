"""Reading and checking a completions request, to the bounds of the service's reference."""

from __future__ import annotations

import msgspec

from linarite.dataplane.parts import checks
from linarite.dataplane.parts.decode import decode
from linarite.dataplane.parts.token_arrays import check_items
from linarite.domain.completion import CompletionAsk, StrictCompletionAsk
from linarite.domain.errors import InvalidRequest

PROMPTS_MAX = 2048
CHOICES_MAX = 128
BEST_OF_MAX = 20
LOGPROBS_MAX = 5
RUNS_MAX = 2048
"""prompts x max(n, best_of): what one request may ask engines to run"""


class AskReader:
    """Turns a body into a `CompletionAsk` that engines may trust."""

    def __init__(self, *, accept_unknown_arguments: bool) -> None:
        """See Completions."""
        shape = CompletionAsk if accept_unknown_arguments else StrictCompletionAsk
        self._decoder: msgspec.json.Decoder[CompletionAsk] = msgspec.json.Decoder(shape)

    def __call__(self, body: bytes) -> CompletionAsk:
        """Decode and check. Raises InvalidRequest with the `param` at fault."""
        ask = decode(self._decoder, body)
        if isinstance(ask.prompt, list):
            check_items("prompt", ask.prompt, PROMPTS_MAX)
        check_numbers(ask)
        checks.check_stop(ask.stop)
        checks.check_logit_bias(ask.logit_bias)
        check_combinations(ask)
        return ask


def check_numbers(ask: CompletionAsk) -> None:
    """Ranges of the sampling parameters."""
    checks.in_range("temperature", ask.temperature, 0, 2)
    checks.in_range("top_p", ask.top_p, 0, 1)
    checks.in_range("presence_penalty", ask.presence_penalty, -2, 2)
    checks.in_range("frequency_penalty", ask.frequency_penalty, -2, 2)
    checks.in_range("n", ask.n, 1, CHOICES_MAX)
    checks.in_range("best_of", ask.best_of, 1, BEST_OF_MAX)
    checks.in_range("logprobs", ask.logprobs, 0, LOGPROBS_MAX)
    checks.in_range("max_tokens", ask.max_tokens, 0, 2**31)
    checks.in_range("seed", ask.seed, -(2**63), 2**63 - 1)


def check_combinations(ask: CompletionAsk) -> None:
    """What the service refuses together."""
    wanted = ask.n or 1
    if ask.best_of is not None and ask.best_of < wanted:
        raise InvalidRequest(
            f"Invalid 'best_of': 'best_of' ({ask.best_of}) must be at least 'n' ({wanted}).",
            param="best_of",
            code="invalid_parameter_combination",
        )
    if ask.best_of is not None and ask.best_of > wanted and ask.stream:
        raise InvalidRequest(
            "Invalid 'best_of': results can't be streamed when 'best_of' is greater than 'n'.",
            param="best_of",
            code="invalid_parameter_combination",
        )
    if ask.suffix is not None and ask.echo:
        raise InvalidRequest(
            "Invalid 'echo': 'echo' can't be used together with 'suffix'.",
            param="echo",
            code="invalid_parameter_combination",
        )
    if ask.max_tokens == 0 and not ask.echo:
        raise InvalidRequest(
            "Invalid 'max_tokens': 0 is only allowed together with 'echo'.",
            param="max_tokens",
            code="integer_below_min_value",
        )
    if ask.stream_options is not None and not ask.stream:
        raise InvalidRequest(
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
            param="stream_options",
            code="invalid_parameter_combination",
        )
    runs = len(ask.prompts) * max(wanted, ask.best_of or 1)
    if runs > RUNS_MAX:
        raise InvalidRequest(
            f"Too many completions in one request: {runs}, at most {RUNS_MAX}. Send fewer prompts "
            "or a smaller 'n' or 'best_of'.",
            param="prompt",
            code="invalid_value",
        )
