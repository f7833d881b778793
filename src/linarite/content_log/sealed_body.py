"""What is sealed of a request: its facts, what was asked, what was answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from linarite.domain.content_log import Content

_encode = msgspec.json.encode


class _Body(msgspec.Struct, omit_defaults=True):
    """As it is encoded."""

    request: dict[str, Any]
    prompt: msgspec.Raw | str | None = None
    completion: msgspec.Raw | str | None = None
    error: msgspec.Raw | str | None = None
    cut: list[str] = []
    """which of them are not whole: they are texts then"""


def sealed_body(content: Content, bytes_max: int) -> bytes:
    """All of it as JSON; a part beyond `bytes_max` is cut, and becomes a text."""
    record, cut = content.record, list[str]()

    def part(name: str, body: bytes) -> msgspec.Raw | str | None:
        if not body:
            return None
        if len(body) > bytes_max:
            cut.append(name)
            return body[:bytes_max].decode("utf-8", "ignore")
        try:
            body.decode()
            msgspec.json.decode(body, type=msgspec.Raw)
        except (UnicodeDecodeError, msgspec.DecodeError):
            return body.decode("utf-8", "replace")
        return msgspec.Raw(body)

    return _encode(
        _Body(
            request={
                "requestId": record.request_id,
                "startedAtNs": record.started_at_ns,
                "operation": record.operation,
                "apiVersion": record.api_version,
                "deployment": record.deployment,
                "model": record.model,
                "status": record.status,
                "code": record.error_code,
                "finish": record.finish,
                "streamed": record.streamed,
                "key": record.caller_key,
                "objectId": record.object_id,
                "appId": record.app_id,
                "endUser": record.end_user,
                "clientAddress": record.client_address,
                "promptTokens": record.prompt_tokens,
                "completionTokens": record.completion_tokens,
            },
            prompt=part("prompt", content.asked),
            completion=part("completion", content.answer()),
            error=part("error", content.error),
            cut=cut,
        )
    )


def opened_body(plain: bytes) -> dict[str, Any]:
    """Undo `sealed_body`."""
    return msgspec.json.decode(plain, type=dict[str, Any])
