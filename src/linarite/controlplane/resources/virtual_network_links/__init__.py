"""Microsoft.Network/privateDnsZones/virtualNetworkLinks."""
