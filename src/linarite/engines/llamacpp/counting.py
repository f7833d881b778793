"""What a chat's prompt counts: rendered and cut into tokens as for an answer, and not computed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.engines.llamacpp.tokenizing import marker_tokens_of, tokens_of
from linarite.engines.llamacpp.tool_prompt import LlamacppToolPrompt
from linarite.engines.text_chat.messages import template_messages
from linarite.engines.text_chat.room import require_room
from linarite.engines.text_chat.toolbox import toolbox_of

if TYPE_CHECKING:
    from linarite.domain.chat import ChatAsk
    from linarite.engines.llamacpp.loaded_model import LoadedModel
    from linarite.engines.llamacpp.special_text import RenderedPrompt


async def prompt_tokens_of(model: LoadedModel, ask: ChatAsk) -> int:
    """Tokens of the prompt that an answer would begin with.

    Raises InvalidRequest, ContextLengthExceeded for what is far too long, EngineRefusal and
    HttpClientError.
    """
    count = 0
    for at, piece in enumerate((await _rendered(model, ask)).pieces):
        if isinstance(piece, int):
            count += 1
        elif at == 0:  # where the model has a token that begins every prompt, it stands here
            count += len(await tokens_of(model.client, piece))
        else:
            count += len(await marker_tokens_of(model.client, piece))
    return count


async def _rendered(model: LoadedModel, ask: ChatAsk) -> RenderedPrompt:
    messages = template_messages(ask.messages, calls="words")
    require_room(sum(len(each["content"]) for each in messages), model.context_tokens)
    toolbox = toolbox_of(ask)
    if toolbox is None:
        return await model.special_text.render({"messages": messages})
    return await LlamacppToolPrompt(model, ask, toolbox).rendered()
