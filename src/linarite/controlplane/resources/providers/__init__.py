"""Resource providers."""
