"""The tests; folders mirror `src/linarite`, with contract and architecture suites beside them."""
