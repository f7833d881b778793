"""Microsoft.CognitiveServices/accounts/costControls."""
