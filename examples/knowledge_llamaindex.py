# /// script
# requires-python = ">=3.11"
# dependencies = [
#   "llama-index-core>=0.14",
#   "llama-index-embeddings-azure-openai>=0.6",
#   "llama-index-llms-azure-openai>=0.6",
# ]
# ///
"""Answers questions out of a folder of documents with LlamaIndex, and names its sources.

export AZURE_OPENAI_ENDPOINT=… AZURE_OPENAI_API_KEY=…
python examples/knowledge_llamaindex.py "What may a hotel cost?"
"""

import os
import sys
from pathlib import Path

from llama_index.core import SimpleDirectoryReader, VectorStoreIndex
from llama_index.core.node_parser import SentenceSplitter
from llama_index.embeddings.azure_openai import AzureOpenAIEmbedding
from llama_index.llms.azure_openai import AzureOpenAI

DOCUMENTS = os.environ.get("DOCUMENTS", str(Path(__file__).parent / "documents"))
CHAT = os.environ.get("CHAT_DEPLOYMENT", "qwen2.5-coder-0.5b-instruct")
EMBEDDINGS = os.environ.get("EMBEDDINGS_DEPLOYMENT", "multilingual-e5-small")
SERVER = {
    "azure_endpoint": os.environ["AZURE_OPENAI_ENDPOINT"],
    "api_key": os.environ["AZURE_OPENAI_API_KEY"],
    "api_version": "2024-10-21",
}


def main(question: str) -> None:
    """Print the answer, then the files that it rests on."""
    # `model` is what LlamaIndex knows sizes of; `engine` and `deployment_name` is who answers.
    chat = AzureOpenAI(model="gpt-4o", engine=CHAT, temperature=0, max_tokens=100, **SERVER)
    embeddings = AzureOpenAIEmbedding(
        model="text-embedding-3-small", deployment_name=EMBEDDINGS, **SERVER
    )
    index = VectorStoreIndex.from_documents(
        SimpleDirectoryReader(DOCUMENTS).load_data(),
        embed_model=embeddings,
        transformations=[SentenceSplitter(chunk_size=128, chunk_overlap=16)],
    )
    answer = index.as_query_engine(llm=chat, similarity_top_k=2).query(question)
    print(answer)
    for each in answer.source_nodes:
        print(f"  [{each.metadata['file_name']}] {each.score:.2f}")


if __name__ == "__main__":
    main(" ".join(sys.argv[1:]) or "What may a hotel cost?")
