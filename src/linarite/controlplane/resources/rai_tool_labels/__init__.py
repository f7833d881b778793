"""Microsoft.CognitiveServices/accounts/raiToolLabels."""
