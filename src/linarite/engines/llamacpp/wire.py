"""What llama.cpp's HTTP interface sends, as far as it is read."""

from __future__ import annotations

import msgspec

from linarite.engines.llamacpp.socket_client import EngineError
from linarite.engines.text_chat.logprobs import TokenProbability


class PromptProgress(msgspec.Struct, frozen=True):
    """How much of the prompt there is, and how much of it was still computed from before."""

    total: int
    cache: int


class Timings(msgspec.Struct, frozen=True):
    """Counts at the end."""

    cache_n: int = 0


class CompletionChunk(msgspec.Struct, frozen=True):
    """An event of `/completion`."""

    content: str = ""
    stop: bool = False
    stop_type: str = ""
    tokens_predicted: int = 0
    tokens_evaluated: int = 0
    completion_probabilities: list[TokenProbability] = []
    prompt_progress: PromptProgress | None = None
    timings: Timings | None = None
    error: EngineError | None = None


CHUNK_FIELDS = ["content", "stop", "stop_type", "tokens_predicted", "tokens_evaluated", "timings"]
"""what the last event is to hold; without this list it repeats the prompt and all settings"""


class ChatDeltaChunk(msgspec.Struct, frozen=True):
    """What is new in a chat reply."""

    content: str | None = None
    reasoning_content: str | None = None


class ChatLogprobs(msgspec.Struct, frozen=True):
    """The probabilities of the new tokens."""

    content: list[TokenProbability] | None = None


class ChatChoiceChunk(msgspec.Struct, frozen=True):
    """The one choice of a chat event."""

    delta: ChatDeltaChunk = ChatDeltaChunk()
    finish_reason: str | None = None
    logprobs: ChatLogprobs | None = None


class CachedTokens(msgspec.Struct, frozen=True):
    """Prompt tokens that were found computed."""

    cached_tokens: int = 0


class ChatUsage(msgspec.Struct, frozen=True):
    """Counts at the end of a chat."""

    completion_tokens: int
    prompt_tokens: int
    prompt_tokens_details: CachedTokens = CachedTokens()


class ChatChunk(msgspec.Struct, frozen=True):
    """An event of `/v1/chat/completions`."""

    choices: list[ChatChoiceChunk] = []
    prompt_progress: PromptProgress | None = None
    usage: ChatUsage | None = None
    error: EngineError | None = None


class TemplateAbilities(msgspec.Struct, frozen=True):
    """What llama.cpp found out about the chat template by trying it."""

    supports_tools: bool = False
    supports_tool_calls: bool = False


class GenerationSettings(msgspec.Struct, frozen=True):
    """Of the default settings, the context of one slot."""

    n_ctx: int = 0


class Properties(msgspec.Struct, frozen=True):
    """The answer of `/props`."""

    default_generation_settings: GenerationSettings = GenerationSettings()
    chat_template_caps: TemplateAbilities = TemplateAbilities()
    bos_token: str = ""
    eos_token: str = ""


class ModelMeta(msgspec.Struct, frozen=True):
    """Sizes of the model."""

    n_embd: int = 0


class ModelRow(msgspec.Struct, frozen=True):
    """The one model served."""

    meta: ModelMeta | None = None


class Models(msgspec.Struct, frozen=True):
    """The answer of `/v1/models`."""

    data: list[ModelRow] = []


class NextToken(msgspec.Struct, frozen=True):
    """How far a slot's reply has come."""

    n_decoded: int = 0


class SlotState(msgspec.Struct, frozen=True):
    """One of the engine's slots, as `/slots` shows it."""

    is_processing: bool
    n_ctx: int = 0
    n_prompt_tokens: int = 0
    """of the prompt and of the reply so far, while it computes"""
    next_token: list[NextToken] = []


class Rendered(msgspec.Struct, frozen=True):
    """The answer of `/apply-template`."""

    prompt: str


class TokenPiece(msgspec.Struct, frozen=True):
    """A token id and its text, or its bytes where they are no text by themselves."""

    id: int
    piece: str | list[int]

    @property
    def raw(self) -> bytes:
        """The bytes it stands for."""
        return self.piece.encode() if isinstance(self.piece, str) else bytes(self.piece)


class Tokens(msgspec.Struct, frozen=True):
    """The answer of `/tokenize` with pieces."""

    tokens: list[TokenPiece]


class Detokenized(msgspec.Struct, frozen=True):
    """The answer of `/detokenize`."""

    content: str


class Vector(msgspec.Struct, frozen=True):
    """One embedding, base64 of little-endian float32."""

    index: int
    embedding: bytes


class VectorUsage(msgspec.Struct, frozen=True):
    """Tokens of the inputs."""

    prompt_tokens: int = 0


class Vectors(msgspec.Struct, frozen=True):
    """The answer of `/v1/embeddings`."""

    data: list[Vector]
    usage: VectorUsage = VectorUsage()
