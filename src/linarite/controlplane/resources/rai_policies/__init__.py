"""Microsoft.CognitiveServices/accounts/raiPolicies."""
