"""Microsoft.CognitiveServices/accounts/privateEndpointConnections."""
