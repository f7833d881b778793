"""Private endpoints as they act: addresses, listeners, and the names that lead to them."""
