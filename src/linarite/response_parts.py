"""Responses of a whole server: who keeps them, and who makes those that nobody waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.dataplane.background_maker import BackgroundMaker
from linarite.responses import BackgroundResponses, ConversationKeeper, ResponseKeeper

if TYPE_CHECKING:
    from contextlib import AsyncExitStack

    from linarite.dataplane.call import OperationKit
    from linarite.dataplane.direct import DirectCalls
    from linarite.domain.notice import Notifier
    from linarite.domain.stored_object import StoredObjects
    from linarite.responses.options import Responses


class ResponseParts:
    """Everything about responses. `make_by` before `recover`."""

    def __init__(self, stack: AsyncExitStack, objects: StoredObjects, options: Responses) -> None:
        """Leaving `stack` puts down what is being made."""
        self.keeper = ResponseKeeper(objects, options)
        self.conversations = ConversationKeeper(objects)
        self.background = BackgroundResponses(objects, options)
        self.recover = self.background.recover
        self._wait_s = options.background_wait_s
        stack.push_async_callback(self.background.stop)

    def make_by(self, calls: DirectCalls, kit: OperationKit, notifier: Notifier) -> None:
        """From now on there is somebody who makes those in the background.

        `notifier` tells webhooks of their ends.
        """
        self.background.notifier = notifier
        self.background.carry_out = BackgroundMaker(calls, kit, self._wait_s)
