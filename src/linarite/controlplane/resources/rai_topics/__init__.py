"""Microsoft.CognitiveServices/accounts/raitopics."""
