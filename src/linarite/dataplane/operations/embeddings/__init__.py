"""POST …/embeddings: texts go in, vectors come out."""
