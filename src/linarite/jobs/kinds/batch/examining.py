"""The first step: a file is looked through before any of it is answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from linarite.batches.input_file import Rules, endpoint_of, examine
from linarite.domain.batch import Counts
from linarite.domain.batch_errors import (
    BadFile,
    model_not_found,
    token_limit_exceeded,
    wrong_sku,
)
from linarite.domain.rate_limits import TOKENS_A_UNIT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from linarite.batches.input_file import Examined, Line
    from linarite.domain.batch import Batch, BatchError
    from linarite.domain.facts import Deployment
    from linarite.jobs.kinds.batch.tools import BatchTools


class Cancelled(Exception):
    """Somebody cancelled the batch meanwhile."""


async def examined(batch: Batch, tools: BatchTools) -> Batch | None:
    """The batch once its file was looked through: in progress, failed, or being cancelled."""
    keeper = tools.keeper
    try:
        found, where = await _look_through(batch, tools)
    except BadFile as bad:
        errors, ended_at = bad.errors, keeper.now()
        return await keeper.change(batch, lambda now: _failed(now, errors, ended_at))
    except Cancelled:
        return await keeper.change(batch, lambda now: now)
    began_at = keeper.now()

    def begun(now: Batch) -> Batch:
        if now.status != "validating":
            return now
        return msgspec.structs.replace(
            now,
            status="in_progress",
            in_progress_at=began_at,
            deployment=where.name,
            model=where.model.served_name,
            enqueued_tokens=found.tokens,
            counts=Counts(total=found.requests),
        )

    return await keeper.change(batch, begun)


async def _look_through(batch: Batch, tools: BatchTools) -> tuple[Examined, Deployment]:
    keeper = tools.keeper
    facts = tools.facts_of(batch.account_id)
    rules = Rules(
        endpoint_of(batch.endpoint),
        keeper.options.requests_max,
        tools.line_bytes_max,
        lambda name: _open_to(batch, name, tools) is not None,
    )
    found = await examine(_until_cancelled(batch, tools), rules)
    where = _open_to(batch, found.deployment, tools)
    if where is None or facts is None:
        raise BadFile(model_not_found(1, found.deployment))  # it went meanwhile
    if keeper.options.deployments == "batch" and not where.sku.batch:
        raise BadFile(wrong_sku(where.name, where.sku.name))
    most = enqueued_max(where)
    held = keeper.enqueued.hold(where.id, batch.id, found.tokens, most)
    if held is not None:
        raise BadFile(token_limit_exceeded(where.name, found.tokens, held, most or 0))
    return found, where


def enqueued_max(where: Deployment) -> int | None:
    """Tokens that may wait for a deployment; None for any number."""
    if not where.sku.batch or where.limits is None:
        return None
    return where.sku.capacity * TOKENS_A_UNIT


def _open_to(batch: Batch, name: str, tools: BatchTools) -> Deployment | None:
    """The deployment of that name, if there is one and the maker's key is for it."""
    facts = tools.facts_of(batch.account_id)
    terms = batch.maker.terms
    if facts is None or (terms is not None and not terms.opens(name)):
        return None
    return facts.deployment(name)


async def _until_cancelled(batch: Batch, tools: BatchTools) -> AsyncIterator[Line]:
    cancelled = tools.keeper.cancelled(batch.id)
    async for line in tools.lines(batch):
        if cancelled.is_set():
            raise Cancelled
        yield line


def _failed(now: Batch, errors: tuple[BatchError, ...], ended_at: int) -> Batch:
    if now.status != "validating":
        return now
    return msgspec.structs.replace(
        now, status="failed", outcome="failed", errors=errors, ended_at=ended_at
    )
