"""What commands share that ask an account's own paths, `/openai/v1/`, as an application does."""
