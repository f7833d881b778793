"""Microsoft.CognitiveServices/accounts/projects."""
