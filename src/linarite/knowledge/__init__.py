"""Chat over documents: finding what a question is about, in vector stores and in Azure AI Search.

The data plane's chat asks `DocumentFinder`; what it finds becomes part of what a model reads.
"""
