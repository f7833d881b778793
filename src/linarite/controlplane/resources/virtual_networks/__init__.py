"""Microsoft.Network/virtualNetworks."""
