"""The last steps: results become files of the account, and who wants to hear of it is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from linarite.domain.batch import shown
from linarite.domain.notice import Notice
from linarite.files.keeper import Bound, NewFile

if TYPE_CHECKING:
    from linarite.domain.batch import Batch
    from linarite.domain.stored_object import StoredObject
    from linarite.files.keeper import Received
    from linarite.jobs.kinds.batch.tools import BatchTools

PURPOSE = "batch_output"
BYTES_MAX = 2**63 - 1
"""what the server itself has written is kept, however much it is"""


async def finish(batch: Batch, tools: BatchTools) -> Batch | None:
    """The batch as it has ended, together with its files: both or nothing.

    The file of errors is there though it be empty, as on Azure; a batch that was cancelled before
    its file was looked through has none. None where the batch is gone.
    """
    if batch.is_over:
        return batch
    outcome = batch.outcome or "cancelled"
    written: list[tuple[StoredObject, Received]] = []
    try:
        if batch.counts.total:
            for failed in (False, True):
                one = await _written(batch, tools, failed=failed)
                written.append(one)
        ids = [file.id for file, _ in written] or ["", ""]
        ended_at = tools.keeper.now()

        def over(now: Batch) -> Batch:
            return msgspec.structs.replace(
                now,
                status=outcome,
                outcome=outcome,
                ended_at=ended_at,
                output_file_id=ids[0],
                error_file_id=ids[1],
            )

        ended = await tools.keeper.change(batch, over, [file for file, _ in written])
    except BaseException:
        await _discard(written, tools)
        raise
    if ended is None:
        await _discard(written, tools)
        return None
    for _, received in written:
        tools.files.settled(received)
    return ended


async def tell(batch: Batch, tools: BatchTools) -> None:
    """Have webhooks told, once. Raises ServiceUnavailable."""
    state = shown(batch, batch.counts)
    told = ("id", "status", "request_counts", "output_file_id", "error_file_id", "metadata")
    await tools.notifier.tell(
        Notice(
            type=f"batch.{batch.status}",
            data={name: state[name] for name in told},
            account_id=batch.account_id,
            owner=batch.owner,
            key=f"{batch.id} {batch.status}",
        )
    )


async def _written(
    batch: Batch, tools: BatchTools, *, failed: bool
) -> tuple[StoredObject, Received]:
    pieces = tools.results.lines(batch.id, batch.account_id, failed=failed)
    received = await tools.files.receive(
        batch.account_id, pieces, Bound(BYTES_MAX, of_account=False)
    )
    new = NewFile(
        account_id=batch.account_id,
        owner=batch.owner,
        purpose=PURPOSE,
        filename=f"{batch.id}_{'error' if failed else 'output'}.jsonl",
        lives_s=batch.output_lives_s,
    )
    return tools.files.made(new, received), received


async def _discard(written: list[tuple[StoredObject, Received]], tools: BatchTools) -> None:
    for _, received in written:
        await tools.files.discard(received)
