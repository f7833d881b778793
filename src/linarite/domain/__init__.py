"""The nouns, the ports and the one error tree. No I/O; standard library and msgspec only."""
