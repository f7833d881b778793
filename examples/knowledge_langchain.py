# /// script
# requires-python = ">=3.11"
# dependencies = ["langchain-openai>=1.7"]
# ///
"""Answers questions out of a folder of documents, and says which document each answer is from.

Retrieval-augmented generation with LangChain: `AzureOpenAIEmbeddings` finds the passages,
`AzureChatOpenAI` answers with nothing but them before it. Nothing here knows of Linarite but the
endpoint in the environment.

    export AZURE_OPENAI_ENDPOINT=… AZURE_OPENAI_API_KEY=…
    python examples/knowledge_langchain.py "How many days of holiday do I have?"
"""

import os
import sys
from pathlib import Path

from langchain_core.documents import Document
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.vectorstores import InMemoryVectorStore
from langchain_openai import AzureChatOpenAI, AzureOpenAIEmbeddings

DOCUMENTS = Path(os.environ.get("DOCUMENTS", Path(__file__).parent / "documents"))
CHAT = os.environ.get("CHAT_DEPLOYMENT", "qwen2.5-coder-0.5b-instruct")
EMBEDDINGS = os.environ.get("EMBEDDINGS_DEPLOYMENT", "multilingual-e5-small")
API_VERSION = "2024-10-21"
PROMPT = ChatPromptTemplate.from_messages(
    [
        ("system", "Answer in one sentence, with nothing but what these passages say:\n{passages}"),
        ("human", "{question}"),
    ]
)


class PrefixedEmbeddings(AzureOpenAIEmbeddings):
    """The E5 models were trained with a word before each text that says what it is."""

    def embed_documents(self, texts, chunk_size=None, **more):
        return super().embed_documents([f"passage: {text}" for text in texts], chunk_size, **more)

    def embed_query(self, text, **more):
        return super().embed_documents([f"query: {text}"], **more)[0]


def passages():
    """A passage for each paragraph, with its title before it and its file beside it."""
    for file in sorted(DOCUMENTS.glob("*.md")):
        title, _, text = file.read_text(encoding="utf-8").partition("\n\n")
        for paragraph in text.split("\n"):
            if paragraph.strip():
                content = f"{title.lstrip('# ')}: {paragraph}"
                yield Document(content, metadata={"source": file.name})


def main(question: str) -> None:
    """Print the answer, then the passages that it rests on."""
    embeddings = PrefixedEmbeddings(
        model=EMBEDDINGS,
        api_version=API_VERSION,
        check_embedding_ctx_length=False,  # counts by OpenAI's vocabulary, which it would download
    )
    store = InMemoryVectorStore.from_documents(list(passages()), embeddings)
    found = store.similarity_search(question, k=3)
    chat = AzureChatOpenAI(model=CHAT, api_version=API_VERSION, temperature=0, max_tokens=100)
    told = "\n".join(f"- {each.page_content}" for each in found)
    for piece in (PROMPT | chat).stream({"passages": told, "question": question}):
        print(piece.content, end="", flush=True)
    print()
    for each in found:
        print(f"  [{each.metadata['source']}] {each.page_content}")


if __name__ == "__main__":
    main(" ".join(sys.argv[1:]) or "How many days of holiday do I have?")
