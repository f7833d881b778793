"""Microsoft.Network/privateEndpoints."""
