"""Microsoft.CognitiveServices/accounts/raiRegos."""
