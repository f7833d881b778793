"""A loaded model: the connection to its process, and what is known of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.domain.engine import Capabilities
from linarite.engines.llamacpp.constraint import ConstraintTrials, SchemaCompiler
from linarite.engines.llamacpp.generation import INFILL
from linarite.engines.llamacpp.socket_client import EngineRefusal
from linarite.engines.llamacpp.wire import CompletionChunk, Models, Properties

if TYPE_CHECKING:
    from linarite.engines.llamacpp.options import LlamacppOptions
    from linarite.engines.llamacpp.socket_client import SocketClient
    from linarite.engines.llamacpp.worker_messages import LlamacppLoaded


class LoadedModel:
    """What every kind of request needs."""

    def __init__(
        self,
        client: SocketClient,
        options: LlamacppOptions,
        properties: Properties,
        capabilities: Capabilities,
    ) -> None:
        self.client = client
        self.options = options
        self.capabilities = capabilities
        self.knows_tools = properties.chat_template_caps.supports_tools
        self.knows_calls = properties.chat_template_caps.supports_tool_calls
        self.begin_text = properties.bos_token or properties.eos_token
        """stands for no prompt at all"""
        self.schemas = SchemaCompiler(options)
        self.trials = ConstraintTrials(client)

    @property
    def context_tokens(self) -> int:
        """What one request may use."""
        return self.capabilities.context_tokens


async def look_at(
    client: SocketClient, options: LlamacppOptions, loaded: LlamacppLoaded
) -> LoadedModel:
    """Ask a process that has loaded its model what it can do."""
    deadline_s = options.first_byte_s
    properties = await client.look("/props", Properties, deadline_s=deadline_s)
    models = await client.look("/v1/models", Models, deadline_s=deadline_s)
    meta = models.data[0].meta if models.data else None
    capabilities = Capabilities(
        chat_completion=loaded.chat_template,
        completion=not loaded.embedding,
        embeddings=loaded.embedding,
        fill_in_the_middle=not loaded.embedding and await _fills_in(client),
        context_tokens=min(loaded.context_tokens, properties.default_generation_settings.n_ctx),
        embedding_dimensions=meta.n_embd if meta and loaded.embedding else 0,
        parallel_requests=options.parallel_requests,
    )
    return LoadedModel(client, options, properties, capabilities)


async def _fills_in(client: SocketClient) -> bool:
    """Whether the vocabulary has the tokens for it shows when it is tried."""
    try:
        await client.ask(
            INFILL.path,
            {"input_prefix": "a", "input_suffix": "b", "n_predict": 1},
            CompletionChunk,
        )
    except EngineRefusal:
        return False
    return True
