"""One request of a batch: asked until there is an answer, and written as a line of the output."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec

from linarite.batches.input_file import endpoint_of
from linarite.dataplane.direct import Busy, DirectRequest
from linarite.domain.batch import LineResult
from linarite.domain.batch_errors import AccountGone
from linarite.files.keeper import EVERYBODY
from linarite.web.ids import new_guid

if TYPE_CHECKING:
    from linarite.batches.input_file import Request
    from linarite.dataplane.direct import DirectAnswer
    from linarite.domain.batch import Batch
    from linarite.jobs.kinds.batch.tools import BatchTools

AGAIN_S = (1.0, 5.0)
"""waits after failures of the engine: what fails a third time is told as it is"""
ACCOUNT_WAIT_S = 10.0
WAIT_MAX_S = 60.0
"""limits may be raised meanwhile"""
WAIT_MIN_S = 0.05


class AccountGoneForGood(Exception):
    """The account was purged, and the batch with it."""


async def answered(
    place: int,
    request: Request,
    batch: Batch,
    tools: BatchTools,
    answering: set[asyncio.Task[None] | None],
) -> LineResult:
    """What came of a request. Limits and a busy engine are waited out.

    `answering` holds the running task while it may not be cancelled lightly. Raises
    AccountGoneForGood.
    """
    asked = DirectRequest(
        batch.account_id,
        batch.maker,
        endpoint_of(batch.endpoint),
        bytes(request.body),
        batch.project,
        batch.id,
    )
    failures = 0
    while True:
        try:
            answer = await _once(asked, batch, tools, answering)
        except Busy as busy:
            await asyncio.sleep(min(max(busy.wait_s, WAIT_MIN_S), WAIT_MAX_S))
            continue
        except AccountGone:
            if await tools.keeper.find(batch.account_id, batch.id, EVERYBODY) is None:
                raise AccountGoneForGood from None
            await asyncio.sleep(ACCOUNT_WAIT_S)
            continue
        if answer.status < HTTPStatus.INTERNAL_SERVER_ERROR or failures >= len(AGAIN_S):
            return _result(place, request, answer)
        await asyncio.sleep(AGAIN_S[failures])
        failures += 1


async def _once(
    asked: DirectRequest,
    batch: Batch,
    tools: BatchTools,
    answering: set[asyncio.Task[None] | None],
) -> DirectAnswer:
    facts = tools.facts_of(batch.account_id)
    where = facts.deployment(batch.deployment) if facts is not None else None
    running = asyncio.current_task()
    async with tools.turns.at(where.instance if where is not None else ""):
        answering.add(running)
        try:
            return await tools.calls.answer(asked)
        finally:
            answering.discard(running)


def _result(place: int, request: Request, answer: DirectAnswer) -> LineResult:
    usage = answer.usage
    body = answer.body
    if b"\n" in body:
        body = msgspec.json.format(body, indent=-1)
    return LineResult(
        place,
        answer.status >= HTTPStatus.BAD_REQUEST,
        b'{"id":"batch_req_%b","custom_id":%b,"response":{"status_code":%d,"request_id":"%b",'
        b'"body":%b},"error":null}'
        % (
            new_guid().encode(),
            msgspec.json.encode(request.custom_id),
            answer.status,
            answer.request_id.encode(),
            body,
        ),
        (
            usage.prompt_tokens,
            usage.cached_tokens,
            usage.completion_tokens,
            usage.reasoning_tokens,
        )
        if usage is not None
        else (0, 0, 0, 0),
    )


def unanswered(place: int, custom_id: str, code: str, message: str) -> LineResult:
    """Why a request has no answer."""
    told = {
        "id": f"batch_req_{new_guid()}",
        "custom_id": custom_id,
        "response": None,
        "error": {"code": code, "message": message},
    }
    return LineResult(place, failed=True, text=msgspec.json.encode(told))
