"""Microsoft.CognitiveServices/accounts."""
