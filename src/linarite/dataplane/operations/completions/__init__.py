"""POST …/completions: a text goes in, its continuation comes out (legacy, and fill-in)."""
