"""Microsoft.CognitiveServices/accounts/privateLinkResources."""
