"""Microsoft.CognitiveServices/accounts/connections."""
