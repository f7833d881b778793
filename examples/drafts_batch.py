# /// script
# requires-python = ">=3.11"
# dependencies = ["openai>=2"]
# ///
"""Summarises a folder of documents and drafts a notice about each, in one batch.

A batch costs half and waits for nobody: it runs behind everybody who is there to wait. It takes a
deployment for batches:

    linarite deployment create later --model qwen2.5-coder-0.5b-instruct --sku GlobalBatch
    export AZURE_OPENAI_ENDPOINT=… AZURE_OPENAI_API_KEY=…
    python examples/drafts_batch.py
"""

import io
import json
import os
import sys
import time
from pathlib import Path

from openai import OpenAI
from openai.types import Batch

DOCUMENTS = Path(os.environ.get("DOCUMENTS", Path(__file__).parent / "documents"))
DEPLOYMENT = os.environ.get("BATCH_DEPLOYMENT", "later")
LOOK_S = 1.0
TASKS = {
    "summary": "Summarise the document in one sentence.",
    "notice": "Write a friendly notice of two sentences that tells colleagues of the document.",
}


def requests() -> str:
    """A line for each document and task."""
    lines = [
        {
            "custom_id": f"{file.stem}/{task}",
            "method": "POST",
            "url": "/v1/chat/completions",
            "body": {
                "model": DEPLOYMENT,
                "messages": [
                    {"role": "system", "content": wanted},
                    {"role": "user", "content": file.read_text(encoding="utf-8")},
                ],
                "temperature": 0,
                "max_tokens": 60,
            },
        }
        for file in sorted(DOCUMENTS.glob("*.md"))
        for task, wanted in TASKS.items()
    ]
    return "\n".join(map(json.dumps, lines))


def ended(client: OpenAI, batch: Batch) -> Batch:
    """The batch, once nothing more happens to it."""
    while batch.status not in {"completed", "failed", "expired", "cancelled"}:
        time.sleep(LOOK_S)
        batch = client.batches.retrieve(batch.id)
        if batch.request_counts and sys.stderr.isatty():
            done, total = batch.request_counts.completed, batch.request_counts.total
            print(f"\r{batch.status}: {done} of {total}", end="", file=sys.stderr, flush=True)
    return batch


def main() -> None:
    """Print what came of each document."""
    endpoint = os.environ["AZURE_OPENAI_ENDPOINT"].rstrip("/")
    client = OpenAI(base_url=f"{endpoint}/openai/v1/", api_key=os.environ["AZURE_OPENAI_API_KEY"])
    file = client.files.create(
        file=("drafts.jsonl", io.BytesIO(requests().encode())), purpose="batch"
    )
    batch = ended(
        client,
        client.batches.create(
            input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h"
        ),
    )
    if batch.output_file_id is None:
        sys.exit(f"The batch is {batch.status}: {batch.errors}")
    answers = map(json.loads, client.files.content(batch.output_file_id).text.splitlines())
    for answer in sorted(answers, key=lambda each: each["custom_id"]):
        text = answer["response"]["body"]["choices"][0]["message"]["content"]
        print(f"{answer['custom_id']}: {' '.join(text.split())}")


if __name__ == "__main__":
    main()
