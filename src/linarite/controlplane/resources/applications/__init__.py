"""Microsoft.CognitiveServices/accounts/projects/applications."""
