"""Microsoft.CognitiveServices/accounts/deployments."""
