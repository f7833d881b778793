"""Whether deployments would comply with policies."""
