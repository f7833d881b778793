"""One folder an operation, named by the words of its URL."""
