"""Whether an account has prompts and completions kept."""
