"""Microsoft.CognitiveServices/accounts/encryptionScopes."""
