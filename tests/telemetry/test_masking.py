"""Secrets are masked in any text; what only looks similar is left readable."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linarite.storage.sealing import new_key
from linarite.telemetry.masking import masked, plain, plain_traceback

JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl"

SECRETS = [
    JWT,
    "sk-proj-abcdefghijklmnopqrstuvwxyz",
    "sk-1234567890abcdef1234",
    "hf_abcdefghijklmnopqrstuvwxyz",
    "ghp_abcdefghijklmnopqrstuvwxyz0123",
    "7f9K2mQx4vB8nR3tY6wZ1aC5dE0gH7jL9pS2uV4xN8bM3qT6rW",
    # An Azure OpenAI key of the newer kind, made up.
    "Fh3kP9mZ2xQ7vL4nB8tR5wY1cD6gJ0sA" * 2 + "JQQJ99ACYeBjFXJ3w3AA",
]


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize(
    "around", ["{}", "before {} after", "'{}'", "x={},", "/path/{}/more", "\n{}\n", '{{"a":"{}"}}']
)
def test_what_is_a_secret_by_its_shape_is_masked(secret: str, around: str) -> None:
    """Wherever it stands in a text, nothing of it is left."""
    shown = masked(around.format(secret))
    assert secret not in shown
    assert secret[-12:] not in shown
    assert "[masked]" in shown


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer s3cr3tvalue",
        "authorization=s3cr3tvalue",
        "api-key: s3cr3tvalue",
        "'api_key': 's3cr3tvalue'",
        '{"apiKey": "s3cr3tvalue"}',
        "?api-key=s3cr3tvalue&x=1",
        "Ocp-Apim-Subscription-Key: s3cr3tvalue",
        "password=s3cr3tvalue",
        "client_secret=s3cr3tvalue;",
        "https://name:s3cr3tvalue@example.com/x",
        "?sv=2024&sig=s3cr3tvalue",
    ],
)
def test_what_is_a_secret_by_its_name_is_masked(text: str) -> None:
    """The name stays, the value goes, and so does nothing else."""
    shown = masked(text)
    assert "s3cr3tvalue" not in shown
    assert shown.replace("[masked]", "s3cr3tvalue") == text


@given(st.builds(new_key))
def test_every_key_we_make_is_masked(key: str) -> None:
    """No key of ours is without the mix that it is recognised by."""
    assert masked(f"failed for {key}.") == "failed for [masked]."


@pytest.mark.parametrize(
    "text",
    [
        "5f9a7a2c3ad4e1b0c9d8e7f6a5b4c3d2e1f00112233445566778899aabbccddee",
        "0b1c2d3e-4f50-6172-8394-a5b6c7d8e9f0",
        "/openai/deployments/qwen2.5-coder-0.5b-instruct/chat/completions",
        "Qwen2.5-Coder-0.5B-Instruct-Q4_K_M.gguf",
        "max_tokens: 1234567, completion_tokens=345678",
        "the task-oriented risk-assessment-for-large-models report",
        "https://example.com:8443/path@x",
        "instance ready in 0.4 s",
    ],
)
def test_other_text_is_left_alone(text: str) -> None:
    """Digests, ids, paths and model names stay readable."""
    assert masked(text) == text


@pytest.mark.parametrize("text", ["a\nb", "a\r\nb", "\x1b[31mred", "\x00", "\x9b2J", "\u2028"])
def test_text_from_outside_stays_on_its_line(text: str) -> None:
    """Control characters are shown, not sent to the terminal."""
    shown = plain(text)
    assert shown.isprintable()
    assert "\\" in shown


def test_a_traceback_keeps_its_lines() -> None:
    """Line ends stay there, other control characters do not."""
    assert plain_traceback("a\n  b\x1b[0m") == "a\n  b\\x1b[0m"


def test_values_are_bounded_and_nested_ones_masked() -> None:
    """Long text is cut; dictionaries and lists are masked inside, names too."""
    assert len(plain("x y" * 10_000)) == 2_000
    value = {"a": [f"Bearer {JWT}", 1, None, True, 2.5], JWT: {"b": (JWT,)}}
    assert plain(value) == {
        "a": ["Bearer [masked]", 1, None, True, 2.5],
        "[masked]": {"b": ["[masked]"]},
    }


@given(st.text(max_size=300))
def test_masking_twice_changes_nothing_more(text: str) -> None:
    """What is masked stays as it is."""
    assert masked(masked(text)) == masked(text)


@pytest.mark.parametrize(
    "part", ["a", "eyJ", "eyJ_", "-eyJ", "Bearer ", "api-key=", "://a:", "sk-", "eyJaaaaaa.", "aB3"]
)
def test_no_text_takes_long(part: str) -> None:
    """Hostile repetition costs in proportion to its length: ten times the text, not a hundred."""

    def cost_s(length: int) -> float:
        text = (part * length)[:length]
        took = []
        for _ in range(5):
            started = time.process_time()
            masked(text)
            took.append(time.process_time() - started)
        return min(took)

    assert cost_s(100_000) < 40 * cost_s(10_000) + 0.01
