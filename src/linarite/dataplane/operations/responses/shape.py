"""A response as the service shows it, before anything has been said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from linarite.dataplane.operations.responses.ask import Format, ResponseAsk
    from linarite.dataplane.operations.responses.tools import AskedTools
    from linarite.domain.usage import Usage

Response = dict[str, Any]


def new_response(
    ask: ResponseAsk, tools: AskedTools, response_id: str, model: str, created_at: int
) -> Response:
    """Everything that the request decides, in the order of the fields' names on Azure."""
    reasoning = ask.reasoning
    return {
        "id": response_id,
        "object": "response",
        "created_at": created_at,
        "status": "in_progress",
        "background": bool(ask.background),
        "completed_at": None,
        "content_filters": [],
        "conversation": {"id": ask.conversation_id} if ask.conversation_id else None,
        "error": None,
        "incomplete_details": None,
        "instructions": ask.instructions,
        "max_output_tokens": ask.max_output_tokens,
        "max_tool_calls": ask.max_tool_calls,
        "model": model,
        "output": [],
        "parallel_tool_calls": ask.parallel_tool_calls is not False,
        "previous_response_id": ask.previous_response_id,
        "prompt": msgspec.to_builtins(ask.prompt),
        "prompt_cache_key": ask.prompt_cache_key,
        "prompt_cache_retention": ask.prompt_cache_retention,
        "reasoning": {
            "effort": reasoning.effort if reasoning else None,
            "summary": (reasoning.summary or reasoning.generate_summary) if reasoning else None,
        },
        "safety_identifier": ask.safety_identifier,
        "service_tier": ask.service_tier or "auto",
        "store": ask.stored,
        "temperature": 1.0 if ask.temperature is None else ask.temperature,
        "text": _text(ask),
        "tool_choice": tools.shown_choice,
        "tools": tools.shown,
        "top_logprobs": ask.top_logprobs or 0,
        "top_p": 1.0 if ask.top_p is None else ask.top_p,
        "truncation": ask.truncation or "disabled",
        "usage": None,
        "user": ask.user,
        "metadata": ask.metadata or {},
    }


def _text(ask: ResponseAsk) -> dict[str, Any]:
    said = ask.text
    wanted = said.format if said is not None else None
    return {
        "format": {"type": "text"} if wanted is None else _format(wanted),
        "verbosity": (said.verbosity if said is not None else None) or "medium",
    }


def _format(wanted: Format) -> dict[str, Any]:
    if wanted.type != "json_schema":
        return {"type": wanted.type}
    shown: dict[str, Any] = msgspec.to_builtins(wanted)
    return shown | {"strict": bool(wanted.strict)}


def usage_shown(usage: Usage) -> dict[str, Any]:
    """Counts in the words of this operation."""
    return {
        "input_tokens": usage.prompt_tokens,
        "input_tokens_details": {"cached_tokens": usage.cached_tokens, "cache_write_tokens": 0},
        "output_tokens": usage.completion_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
        "total_tokens": usage.total_tokens,
    }


def filter_shown(source: str, results: dict[str, Any]) -> dict[str, Any]:
    """What Azure's content filter says, in the words of this operation."""
    return {
        "blocked": b'"filtered":true' in msgspec.json.encode(results),
        "source_type": source,
        "content_filter_raw": [],
        "content_filter_results": results,
        "content_filter_offsets": {"start_offset": 0, "end_offset": 0, "check_offset": 0},
    }
