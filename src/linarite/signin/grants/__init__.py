"""The ways to a token, a file each: `token_endpoint` has the table."""
