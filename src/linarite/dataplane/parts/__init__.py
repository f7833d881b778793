"""What several operations share: decoding, sampling checks, the shapes of replies."""
