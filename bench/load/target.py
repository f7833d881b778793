"""Where load goes, and the bytes of its requests."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

_SYSTEM = "You are a helpful assistant. Answer in one short paragraph, plainly. " * 4
_QUESTION = "What is the difference between azurite and linarite, and how are they told apart?"

END_OF_TURN = "2"
"""SmolLM2's token that ends a reply; forbidden where every reply must have the same length"""


@dataclass(frozen=True)
class Target:
    """An OpenAI-compatible endpoint on loopback."""

    port: int
    path: str
    model: str
    headers: dict[str, str] = field(default_factory=dict)
    takes_bias: bool = True
    """whether it can be told that a reply must not end"""

    def plain(self, max_tokens: int = 64) -> bytes:
        """A whole request for a plain answer; the body has some 500 bytes."""
        return self._request(_QUESTION, max_tokens=max_tokens, temperature=0.7)

    def stream(self, pace_ms: int, chunks: int) -> bytes:
        """A whole request for a stream of the fake upstream, at a pace."""
        words = f"{_QUESTION} pace={pace_ms}ms chunks={chunks}"
        return self._request(words, max_tokens=chunks, temperature=0.7, stream=True)

    def words(self, label: str, tokens: int) -> bytes:
        """A whole request for a stream of a real model, of exactly `tokens` tokens.

        Of at most as many where the model may end its reply.

        The label comes first, so that no two prompts share a beginning in a prefix cache.
        """
        return self._request(
            _QUESTION,
            label=label,
            max_tokens=tokens,
            stream=True,
            stream_options={"include_usage": True},
            temperature=0,
            **({"logit_bias": {END_OF_TURN: -100}} if self.takes_bias else {}),
        )

    def messages(self, label: str) -> list[dict[str, str]]:
        """The messages of such a request."""
        return _messages(label, _QUESTION)

    def _request(self, question: str, *, label: str = "", **parameters: object) -> bytes:
        return self.asking({"messages": _messages(label, question), **parameters})

    def asking(self, said: dict[str, object]) -> bytes:
        """A whole request for whatever the path answers."""
        body = json.dumps({"model": self.model, **said}, separators=(",", ":")).encode()
        lines = [
            f"POST {self.path} HTTP/1.1",
            f"host: 127.0.0.1:{self.port}",
            "content-type: application/json",
            "user-agent: linarite-bench",
            f"content-length: {len(body)}",
            *(f"{name}: {value}" for name, value in self.headers.items()),
        ]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def _messages(label: str, question: str) -> list[dict[str, str]]:
    return [
        {"role": "system", "content": label + _SYSTEM},
        {"role": "user", "content": question},
    ]
