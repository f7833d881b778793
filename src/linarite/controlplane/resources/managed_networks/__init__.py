"""Microsoft.CognitiveServices/accounts/managedNetworks."""
