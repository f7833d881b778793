# /// script
# requires-python = ">=3.11"
# dependencies = ["openai>=2"]
# ///
"""A chatbot over a folder of documents: asks back and forth, with sources, and refuses politely.

The documents lie in a vector store of the account; `data_sources` has each question answered out
of them. What follows a question is understood in view of it. To keep the store in step with the
folder, run `linarite knowledge sync` instead of `filled`.

    export AZURE_OPENAI_ENDPOINT=… AZURE_OPENAI_API_KEY=…
    python examples/knowledge_chatbot.py
    python examples/knowledge_chatbot.py "What may a hotel cost?" "And in Paris?"
"""

import os
import sys
from pathlib import Path

from openai import AzureOpenAI

DOCUMENTS = Path(os.environ.get("DOCUMENTS", Path(__file__).parent / "documents"))
CHAT = os.environ.get("CHAT_DEPLOYMENT", "qwen2.5-coder-0.5b-instruct")
STORE = os.environ.get("STORE", "handbook of the chatbot")
API_VERSION = "2025-03-01-preview"
ROLE = "You are the assistant of the staff of Contoso. Be brief and friendly."


def filled(client):
    """A store with the documents; made at the first start, and used again."""
    for store in client.vector_stores.list():
        if store.name == STORE:
            return
    store = client.vector_stores.create(name=STORE)
    for file in sorted(DOCUMENTS.glob("*.md")):
        came = client.vector_stores.files.upload_and_poll(
            vector_store_id=store.id, file=(file.name, file.read_bytes())
        )
        print(f"{file.name}: {came.status}")


def source():
    """Where answers come from."""
    return {
        "type": "azure_search",
        "parameters": {
            "endpoint": os.environ["AZURE_OPENAI_ENDPOINT"],
            "index_name": STORE,
            "authentication": {"type": "system_assigned_managed_identity"},
            "role_information": ROLE,
            "top_n_documents": 3,
        },
    }


def answer(client, messages):
    """Print the answer as it comes, then what it rests on; the whole of it."""
    pieces, citations = [], []
    stream = client.chat.completions.create(
        model=CHAT,
        messages=messages,
        temperature=0,
        max_tokens=150,
        stream=True,
        extra_body={"data_sources": [source()]},
    )
    for chunk in stream:
        for choice in chunk.choices:
            context = getattr(choice.delta, "context", None)
            if context:  # the first chunk has it
                citations = context["citations"]
            piece = choice.delta.content or ""
            print(piece, end="", flush=True)
            pieces.append(piece)
    print()
    for number, each in enumerate(citations, 1):
        print(f"  [doc{number}] {each['filepath']}: {each['content'].split(chr(10), 1)[0]}")
    return "".join(pieces)


def main(conversations):
    """Answer the questions of conversations, each in view of those before it."""
    client = AzureOpenAI(api_version=API_VERSION)
    filled(client)
    for questions in conversations:
        messages = []
        for question in questions:
            print(f"> {question}")
            messages.append({"role": "user", "content": question})
            messages.append({"role": "assistant", "content": answer(client, messages)})


def typed():
    """What a person asks, line by line, until the end of the input."""
    while True:
        try:
            yield input("? ")
        except EOFError:
            return


SHOWN = (
    ("How many days of holiday do I have?", "And how many weeks of leave for parents?"),
    ("What is the capital of Mongolia?",),
)

if __name__ == "__main__":
    if sys.argv[1:]:
        main([sys.argv[1:]])
    else:
        main([typed()] if sys.stdin.isatty() else SHOWN)
