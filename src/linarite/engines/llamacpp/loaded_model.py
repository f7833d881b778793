"""A loaded model: the connection to its process, and what is known of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from linarite.domain.engine import Capabilities
from linarite.engines.llamacpp.constraint import ConstraintTrials, SchemaCompiler
from linarite.engines.llamacpp.fill_in import find_fill_in
from linarite.engines.llamacpp.sampling import AZURE_DEFAULTS, sampling_of
from linarite.engines.llamacpp.special_text import SpecialText
from linarite.engines.llamacpp.wire import Models, Properties

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.domain.chat import ChatAsk
    from linarite.domain.completion import CompletionAsk
    from linarite.engines.llamacpp.fill_in import FillIn
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
        special_texts: Sequence[str] = (),
    ) -> None:
        """`special_texts` are what the vocabulary's special tokens are called."""
        self.client = client
        self.options = options
        self.capabilities = capabilities
        self.knows_tools = properties.chat_template_caps.supports_tools
        self.knows_calls = properties.chat_template_caps.supports_tool_calls
        self.begin_text = properties.bos_token or properties.eos_token
        """stands for no prompt at all"""
        self.special_text = SpecialText(client, special_texts)
        self.fill_in: FillIn | None = None
        """how to ask for what comes between two texts, if the model was trained for that"""
        self.sampling_defaults = AZURE_DEFAULTS
        """for requests that name no temperature or no top_p"""
        self.schemas = SchemaCompiler(options)
        self.trials = ConstraintTrials(client)

    def sampling(self, ask: ChatAsk | CompletionAsk, choice: int) -> dict[str, Any]:
        """How the tokens of one choice are drawn, in llama.cpp's words. Raises InvalidRequest."""
        return sampling_of(ask, self.options, choice, self.sampling_defaults)

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
    fill_in = None if loaded.embedding else await find_fill_in(client)
    meta = models.data[0].meta if models.data else None
    capabilities = Capabilities(
        chat_completion=loaded.chat_template,
        completion=not loaded.embedding,
        embeddings=loaded.embedding,
        fill_in_the_middle=fill_in is not None,
        context_tokens=min(loaded.context_tokens, properties.default_generation_settings.n_ctx),
        embedding_dimensions=meta.n_embd if meta and loaded.embedding else 0,
        parallel_requests=options.parallel_requests,
    )
    model = LoadedModel(client, options, properties, capabilities, loaded.special_texts)
    model.fill_in = fill_in
    return model
