"""Makes responses in the background: by the same operation, as calls without a connection."""

from __future__ import annotations

import asyncio
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec

from linarite.dataplane.direct import Busy, DirectRequest
from linarite.dataplane.operations.responses.background import MakeResponse
from linarite.domain.batch_errors import AccountGone
from linarite.domain.principal import Principal
from linarite.responses.background import RUN, SEALED_BODY, sealed_name

if TYPE_CHECKING:
    from linarite.dataplane.call import OperationKit
    from linarite.dataplane.direct import DirectAnswer, DirectCalls
    from linarite.domain.stored_object import StoredObject


class BackgroundMaker:
    """Makes one response after the other, each by `__call__`."""

    def __init__(self, calls: DirectCalls, kit: OperationKit, wait_s: float) -> None:
        """`wait_s`: how long one waits for a rate or a place."""
        self._calls = calls
        self._kit = kit
        self._wait_s = wait_s

    async def __call__(self, made: StoredObject) -> None:
        """Make it; whatever comes, it has ended then."""
        run: dict[str, Any] = made.body[RUN]
        asked = DirectRequest(
            made.account_id,
            msgspec.convert(run["maker"], Principal),
            "/responses",
            await self._body(made, run),
            run["project"],
            in_batch=False,
        )
        background = self._kit.background
        until = time.monotonic() + self._wait_s
        while True:
            operation = MakeResponse(self._kit)
            operation.made = made
            try:
                answer = await self._calls.answer(asked, operation)
            except Busy as busy:
                if operation.ended:
                    return
                if time.monotonic() + busy.wait_s > until:
                    await background.fail(made, "rate_limit_exceeded", str(busy))
                    return
                await asyncio.sleep(busy.wait_s)
            except AccountGone:
                return
            else:
                if not operation.ended:
                    await background.fail(made, *problem_of(answer))
                return

    async def _body(self, made: StoredObject, run: dict[str, Any]) -> bytes:
        """The request. Raises AccountGone."""
        if SEALED_BODY not in run:
            return run["body"].encode()
        box = await self._kit.box_of(made.account_id)
        if box is None:
            raise AccountGone
        return box.unseal(sealed_name(made.id), run[SEALED_BODY])


def problem_of(answer: DirectAnswer) -> tuple[str, str]:
    """Why a response could not be made, in the codes that responses have."""
    told: dict[str, Any] = msgspec.json.decode(answer.body).get("error") or {}
    invalid = HTTPStatus.BAD_REQUEST <= answer.status < HTTPStatus.INTERNAL_SERVER_ERROR
    return ("invalid_prompt" if invalid else "server_error"), str(told.get("message", ""))
