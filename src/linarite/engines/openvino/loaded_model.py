"""A loaded model: the channel to its process, and what is known of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from linarite.domain.engine import Capabilities
from linarite.engines.openvino.shapes import Shaper

if TYPE_CHECKING:
    from linarite.engines.openvino.channel import Channel
    from linarite.engines.openvino.messages import OpenvinoLoaded
    from linarite.engines.openvino.options import OpenvinoOptions


class LoadedModel:
    """What every kind of request needs."""

    def __init__(self, channel: Channel, options: OpenvinoOptions, loaded: OpenvinoLoaded) -> None:
        self.channel = channel
        self.options = options
        self.knows_tools = loaded.knows_tools
        self.knows_calls = loaded.knows_calls
        self.begin_text = loaded.begin_text
        self.shaper = Shaper(options)
        # A request of several choices takes several places. Who waits for one waits here, where
        # no deadline runs yet.
        self.places = asyncio.Semaphore(options.parallel_requests)
        self.capabilities = Capabilities(
            chat_completion=loaded.chat_template,
            completion=True,
            fill_in_the_middle=loaded.fill_in_the_middle,
            context_tokens=loaded.context_tokens,
            parallel_requests=options.parallel_requests,
        )

    @property
    def context_tokens(self) -> int:
        """What one request may use."""
        return self.capabilities.context_tokens
