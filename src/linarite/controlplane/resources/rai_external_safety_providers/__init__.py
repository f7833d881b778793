"""Microsoft.CognitiveServices/raiExternalSafetyProviders."""
