"""What this server signs: its keys, and the tokens made with them."""
