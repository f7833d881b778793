"""Microsoft.Network/privateEndpoints/privateDnsZoneGroups."""
