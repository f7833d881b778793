"""What is refused about batches, and what may be wrong with their files.

Source: learn.microsoft.com, "Getting started with Azure OpenAI batch deployments", whose table of
error codes is copied; what follows its sentences is ours and says what to do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.domain.batch import BatchError
from linarite.domain.errors import GatewayError, InvalidRequest, LinariteError, ModelError

if TYPE_CHECKING:
    from linarite.domain.batch import Batch


class NoSuchBatch(GatewayError):
    """The account has no such batch, or not one that the caller may see. The dated dialect's."""

    control = "request"
    status = 404
    code = "notFound"

    def __init__(self, batch_id: str) -> None:
        """Say the same of a batch of another account's."""
        super().__init__(f"There is no batch '{batch_id[:100]}' in this account.")


class NoSuchBatchObject(ModelError):
    """The same on `/openai/v1/`, in OpenAI's words."""

    status = 404

    def __init__(self, batch_id: str) -> None:
        """See NoSuchBatch."""
        super().__init__(f"No batch found with id '{batch_id[:100]}'.", param="batch_id")


class CannotCancel(GatewayError):
    """It is over, or its results are being written. The dated dialect's."""

    control = "request"
    status = 409
    code = "conflict"

    def __init__(self, batch: Batch) -> None:
        """Name the status that it has."""
        super().__init__(cannot_cancel(batch))


class CannotCancelObject(ModelError):
    """The same on `/openai/v1/`."""

    status = 409

    def __init__(self, batch: Batch) -> None:
        """See CannotCancel."""
        super().__init__(cannot_cancel(batch))


def cannot_cancel(batch: Batch) -> str:
    """Why."""
    return f"Cannot cancel a batch with status '{batch.status}'."


class NoSuchInput(InvalidRequest):
    """The file that a batch is to read is absent, somebody else's, or for something else."""

    def __init__(self, file_id: str, why: str) -> None:
        """Say which and why."""
        super().__init__(f"The file '{file_id[:100]}' {why}", param="input_file_id")


class AccountGone(LinariteError):
    """The account of a batch is deleted. It may be recovered: the batch waits."""

    status = 404
    code = "ResourceNotFound"

    def __init__(self) -> None:
        """Say so."""
        super().__init__("The account of this batch is deleted.")


class BadFile(LinariteError):
    """A batch can't be run as it is: it ends as `failed`, with these errors."""

    code = "BadFile"

    def __init__(self, *errors: BatchError) -> None:
        """Keep them."""
        super().__init__(errors[0].message)
        self.errors = errors


def invalid_json_line(line: int, why: str) -> BatchError:
    """A line that is no JSON."""
    told = f"A line in your input file wasn't able to be parsed as valid JSON: {why}."
    return BatchError("invalid_json_line", told, line=line)


def invalid_request(message: str, param: str | None = None, line: int | None = None) -> BatchError:
    """A line, or what it asks for, is not as it must be."""
    return BatchError("invalid_request", message, param, line)


def too_many_tasks(most: int) -> BatchError:
    """More requests than a file may have."""
    return BatchError(
        "too_many_tasks",
        f"The number of requests in the input file exceeds the maximum allowed value of {most:,} "
        "(batches.requests_max).",
    )


def url_mismatch(line: int, url: str, wanted: str) -> BatchError:
    """A line that asks for another endpoint."""
    return BatchError(
        "url_mismatch",
        f"The URL of this request, '{url[:100]}', does not match the rest of the rows, or the "
        f"endpoint of the batch, '{wanted}'.",
        "url",
        line,
    )


def no_model(line: int) -> BatchError:
    """A line that names no deployment."""
    return BatchError(
        "model_not_found",
        "Validation failed: A valid model deployment name couldn't be extracted from the input "
        "file. Please ensure that each row in the input file has a valid deployment name specified "
        "in the 'model' field, and that the deployment name is consistent across all rows.",
        "body.model",
        line,
    )


def model_not_found(line: int, wanted: str) -> BatchError:
    """A deployment that there is not."""
    return BatchError(
        "model_not_found",
        "The Azure OpenAI model deployment name that was specified in the model property of the "
        f"input file, '{wanted[:100]}', wasn't found. Please ensure this name points to a valid "
        "Azure OpenAI model deployment.",
        "body.model",
        line,
    )


def model_mismatch(line: int, named: str, rest: str) -> BatchError:
    """A line with another deployment than those before it."""
    return BatchError(
        "model_mismatch",
        "The Azure OpenAI model deployment name that was specified in the model property of this "
        f"request in the input file, '{named[:100]}', doesn't match the rest of the file: "
        f"'{rest[:100]}'. Please ensure that all requests in the batch use the same deployment.",
        "body.model",
        line,
    )


def duplicate_custom_id(line: int, custom_id: str) -> BatchError:
    """A second request of the same name."""
    return BatchError(
        "duplicate_custom_id",
        f"The custom ID for this request, '{custom_id[:100]}', is a duplicate of the custom ID in "
        "another request.",
        "custom_id",
        line,
    )


def empty_file() -> BatchError:
    """A file without a request."""
    return BatchError(
        "empty_file", "The input file is empty. Please ensure that it has at least one request."
    )


def input_modified(file_id: str) -> BatchError:
    """The file went away."""
    return BatchError(
        "input_modified",
        f"The input file '{file_id}' was deleted, or has expired, after the batch job was "
        "submitted.",
    )


def wrong_sku(deployment: str, sku: str) -> BatchError:
    """A deployment for calls that cannot wait."""
    return BatchError(
        "invalid_request",
        f"The deployment SKU is invalid: '{deployment}' is {sku}, and batches run on GlobalBatch "
        "and DataZoneBatch. Deploy the model with such a SKU "
        f"(linarite deployment create --sku-name GlobalBatch, or sku in [[deployments]]), or let "
        'every deployment take batches: batches.deployments = "any".',
        "body.model",
    )


def token_limit_exceeded(deployment: str, asked: int, held: int, most: int) -> BatchError:
    """More tokens than may wait for a deployment."""
    return BatchError(
        "token_limit_exceeded",
        f"Enqueued token limit reached for {deployment}: the input file has about {asked} tokens, "
        f"{held} are enqueued by other batches, and the limit is {most}. Please try again once "
        "some batches have been completed, make the file smaller, or raise the deployment's "
        "capacity (1,000 enqueued tokens a unit).",
    )
