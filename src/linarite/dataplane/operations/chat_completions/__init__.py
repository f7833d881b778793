"""POST …/chat/completions: a conversation goes in, the next message comes out."""
