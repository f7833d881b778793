"""Resources of every type at once."""
