"""What was told to webhooks, and what could not be."""
