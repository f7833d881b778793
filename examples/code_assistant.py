# /// script
# requires-python = ">=3.11"
# dependencies = ["openai>=2"]
# ///
"""What an editor asks of a model: to fill in code at the cursor, and to talk about it.

The first is `completions` with what stands before the cursor (`prompt`) and behind it (`suffix`),
the second a chat. Both go to a model that was trained for it.

    export AZURE_OPENAI_ENDPOINT=… AZURE_OPENAI_API_KEY=…
    python examples/code_assistant.py examples/code_assistant.py
"""

import os
import sys
from pathlib import Path

from openai import AzureOpenAI

MODEL = os.environ.get("CODE_DEPLOYMENT", "qwen2.5-coder-0.5b-instruct")
CURSOR = "<cursor>"
UNFINISHED = f'''\
def median(numbers: list[float]) -> float:
    """The middle one, or the mean of the two in the middle."""
    ordered = {CURSOR}
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2
'''


def fill_in(client: AzureOpenAI, text: str) -> str:
    """What belongs at the cursor, up to the end of the line."""
    before, _, behind = text.partition(CURSOR)
    answer = client.completions.create(
        model=MODEL, prompt=before, suffix=behind, max_tokens=32, temperature=0, stop=["\n"]
    )
    return answer.choices[0].text


def explain(client: AzureOpenAI, code: str) -> None:
    """Say as it comes what a piece of code does."""
    stream = client.chat.completions.create(
        model=MODEL,
        messages=[
            {"role": "system", "content": "Say in two sentences what the code does."},
            {"role": "user", "content": code},
        ],
        max_tokens=60,
        temperature=0,
        stream=True,
    )
    for chunk in stream:
        for choice in chunk.choices:
            print(choice.delta.content or "", end="", flush=True)
    print()


def main(file: str | None) -> None:
    """Fill in the example, then explain a file, or the example."""
    client = AzureOpenAI(api_version="2024-10-21")  # endpoint and key are in the environment
    filled = fill_in(client, UNFINISHED)
    print(f"ordered = {filled}\n")
    explain(client, Path(file).read_text() if file else UNFINISHED.replace(CURSOR, filled))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
