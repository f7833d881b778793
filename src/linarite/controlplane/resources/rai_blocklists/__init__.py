"""Microsoft.CognitiveServices/accounts/raiBlocklists."""
