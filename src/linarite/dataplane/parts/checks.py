"""Bounds that several operations share. Ranges are those of the service's reference."""

from __future__ import annotations

import re
from time import time
from typing import TYPE_CHECKING, Any

from linarite.domain.errors import (
    DeploymentNotFound,
    InvalidRequest,
    ModelRetired,
    OperationNotSupported,
)
from linarite.domain.json_values import is_deeper
from linarite.domain.service_tier import BATCH, Rank

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from linarite.dataplane.call import Call
    from linarite.domain.facts import Deployment, Facts
    from linarite.domain.principal import Principal

STOP_SEQUENCES_MAX = 4
LOGIT_BIASES_MAX = 2**16
TOKEN_DIGITS_MAX = 10
METADATA_PAIRS_MAX = 16
METADATA_KEY_MAX = 64
METADATA_VALUE_MAX = 512
NESTING_MAX = 64

NUMBER_DIGITS_MAX = 12
NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def find_path_deployment(call: Call, facts: Facts) -> None:
    """Fill in the deployment that the path names, if it names one. Raises DeploymentNotFound.

    Before the body is looked at: the service's gateway knows paths, its models know bodies.
    """
    wanted = call.path_arguments.get("deployment")
    if wanted is not None:
        call.deployment = named_deployment(wanted, facts, call.principal)


def find_deployment(call: Call, model: str | None, facts: Facts, verb: str) -> Deployment:
    """The deployment a request means: by its path (dated), else by the body's `model` (v1).

    Raises InvalidRequest when v1 names none, DeploymentNotFound, and OperationNotSupported of
    `verb`, Azure's word for the operation, where the deployment takes batches alone.
    """
    deployment = call.deployment
    if deployment is None:
        if not model:
            raise InvalidRequest(
                "Missing required parameter: 'model'. On /openai/v1/ it names the deployment.",
                param="model",
                code="missing_required_parameter",
            )
        deployment = call.deployment = named_deployment(model, facts, call.principal)
    if deployment.rank is Rank.BATCH and deployment.sku.batch and not _in_batch(deployment):
        raise OperationNotSupported(verb, deployment.model.name, batches_only=True)
    return deployment


def _in_batch(deployment: Deployment) -> bool:
    """Whether it is seen by a line of a batch (`as_batches`)."""
    return deployment.service_tier == BATCH


def named_deployment(wanted: str, facts: Facts, caller: Principal | None) -> Deployment:
    """The account's deployment of that name. Raises DeploymentNotFound, ModelRetired."""
    deployment = facts.deployment(wanted)
    if deployment is None:
        terms = caller.terms if caller is not None else None
        names = [d.name for d in facts.deployments.values() if terms is None or terms.opens(d.name)]
        raise DeploymentNotFound(wanted[:200], names)
    if deployment.retired_at and deployment.retired_at <= time():
        raise ModelRetired(deployment.model.name, deployment.model.version, deployment.retired_at)
    return deployment


def in_range(name: str, value: float | None, low: float, high: float) -> None:
    """Refuse a number outside [low, high] as the service does."""
    if value is None or low <= value <= high:
        return
    number = "integer" if isinstance(value, int) else "decimal"
    side, sign, limit = ("minimum", ">=", low) if value < low else ("maximum", "<=", high)
    where = "below" if value < low else "above"
    got = int(value) if isinstance(value, float) and value.is_integer() else value
    raise InvalidRequest(
        f"Invalid '{name}': {number} {where} {side} value. Expected a value {sign} {limit}, "
        f"but got {got} instead.",
        param=name,
        code=f"{number}_{where}_{side[:3]}_value",
    )


def one_of(name: str, value: str, allowed: Sequence[str]) -> None:
    """Refuse what is not among the values that the service knows."""
    if value not in allowed:
        *most, last = (f"'{each}'" for each in allowed)
        raise InvalidRequest(
            f"Invalid value: '{value[:100]}'. Supported values are: {', '.join(most)}, and {last}.",
            param=name,
            code="invalid_value",
        )


def check_name(param: str, name: str) -> None:
    """Names of functions, tools and schemas: letters, digits, `_` and `-`, at most 64."""
    if not NAME.fullmatch(name):
        raise InvalidRequest(
            f"Invalid '{param}': string does not match pattern. Expected a string that matches "
            "the pattern '^[a-zA-Z0-9_-]{1,64}$'.",
            param=param,
            code="invalid_value",
        )


def check_stop(stop: str | list[str] | None) -> None:
    """At most four stop sequences, none of them empty."""
    if stop is None:
        return
    sequences = [stop] if isinstance(stop, str) else stop
    if len(sequences) > STOP_SEQUENCES_MAX:
        raise too_long("stop", STOP_SEQUENCES_MAX, len(sequences))
    if not all(sequences):
        raise InvalidRequest(
            "Invalid 'stop': empty string. Expected a string with minimum length 1, but got an "
            "empty string instead.",
            param="stop",
            code="empty_string",
        )


def check_logit_bias(bias: Mapping[str, float] | None) -> None:
    """Token ids in strings, each biased between -100 and 100."""
    if not bias:
        return
    if len(bias) > LOGIT_BIASES_MAX:
        raise too_many("logit_bias", LOGIT_BIASES_MAX, len(bias))
    for token, value in bias.items():
        if not (token.isascii() and token.isdigit() and len(token) <= TOKEN_DIGITS_MAX):
            raise InvalidRequest(
                f"Invalid key in 'logit_bias': {token[:50]}. You should only use integer token "
                "ids of the deployed model.",
                param="logit_bias",
                code="invalid_value",
            )
        in_range(f"logit_bias.{token}", value, -100, 100)


def check_metadata(metadata: Mapping[str, str] | None) -> None:
    """16 pairs; keys of 64 characters, values of 512."""
    if not metadata:
        return
    if len(metadata) > METADATA_PAIRS_MAX:
        raise too_many("metadata", METADATA_PAIRS_MAX, len(metadata))
    for key, value in metadata.items():
        if len(key) > METADATA_KEY_MAX:
            raise too_long(
                f"metadata.{key[:METADATA_KEY_MAX]}", METADATA_KEY_MAX, len(key), "string"
            )
        if len(value) > METADATA_VALUE_MAX:
            raise too_long(f"metadata.{key}", METADATA_VALUE_MAX, len(value), "string")


def check_nesting(name: str, value: Any) -> None:  # noqa: ANN401 - any JSON
    """Refuse JSON nested deeper than engines are asked to read."""
    if is_deeper(value, NESTING_MAX):
        raise InvalidRequest(
            f"Invalid '{name}': nested deeper than {NESTING_MAX} levels.",
            param=name,
            code="invalid_value",
        )


def too_long(name: str, limit: int, got: int, kind: str = "array") -> InvalidRequest:
    """The service's complaint about an array or a string beyond its bound."""
    one = "an array" if kind == "array" else f"a {kind}"
    return InvalidRequest(
        f"Invalid '{name}': {kind} too long. Expected {one} with maximum length {limit}, but got "
        f"{one} with length {got} instead.",
        param=name,
        code=f"{kind}_above_max_length",
    )


def too_many(name: str, limit: int, got: int) -> InvalidRequest:
    """The service's complaint about an object with too many keys."""
    return InvalidRequest(
        f"Invalid '{name}': too many properties. Expected an object with at most {limit} "
        f"properties, but got an object with {got} properties instead.",
        param=name,
        code="object_above_max_properties",
    )


def empty_array(name: str) -> InvalidRequest:
    """The service's complaint about an array that must hold something."""
    return InvalidRequest(
        f"Invalid '{name}': empty array. Expected an array with minimum length 1, but got an empty "
        "array instead.",
        param=name,
        code="empty_array",
    )


def whole_number(text: str) -> int:
    """A number as queries and forms write it; -1 for what is none, or has over twelve digits."""
    fits = text.isascii() and text.isdecimal() and len(text) <= NUMBER_DIGITS_MAX
    return int(text) if fits else -1


def asked_limit(asked: Mapping[str, str], usual: int, most: int, code: str | None = None) -> int:
    """How many of a list a query asks for by `limit`. Raises InvalidRequest."""
    limit = whole_number(asked.get("limit", str(usual)))
    if not 1 <= limit <= most:
        raise InvalidRequest(
            f"'limit' must be an integer between 1 and {most}.", param="limit", code=code
        )
    return limit
