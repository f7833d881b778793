"""Microsoft.CognitiveServices/accounts/raiBindings."""
