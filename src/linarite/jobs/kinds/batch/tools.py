"""What the steps of a batch work with."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from linarite.batches import BatchKeeper
from linarite.batches.input_file import lines_of
from linarite.dataplane.direct import DirectCalls
from linarite.domain.batch import ResultLog
from linarite.domain.batch_errors import BadFile, input_modified
from linarite.domain.facts import Facts
from linarite.domain.notice import Notifier
from linarite.files import FileKeeper
from linarite.files.keeper import EVERYBODY
from linarite.jobs.kinds.batch.turns import Turns

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from linarite.batches.input_file import Line
    from linarite.domain.batch import Batch


class BatchTools(msgspec.Struct, frozen=True):
    """All of it."""

    keeper: BatchKeeper
    files: FileKeeper
    results: ResultLog
    calls: DirectCalls
    facts_of: Callable[[str], Facts | None]
    """of an account, by its id"""
    notifier: Notifier
    line_bytes_max: int
    turns: Turns

    async def lines(self, batch: Batch) -> AsyncIterator[Line]:
        """Those of its file. Raises BadFile where that is gone."""
        gone = BadFile(input_modified(batch.input_file_id))
        file = await self.files.find(batch.account_id, batch.input_file_id, EVERYBODY)
        if file is None:
            raise gone
        try:
            async for line in lines_of(self.files.content(file), self.line_bytes_max):
                yield line
        except KeyError:
            raise gone from None
