"""Microsoft.CognitiveServices/accounts/capabilityHosts."""
