"""Microsoft.Network/privateDnsZones/A and the other types of record sets."""
