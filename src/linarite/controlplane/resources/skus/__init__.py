"""SKUs of accounts and deployments."""
