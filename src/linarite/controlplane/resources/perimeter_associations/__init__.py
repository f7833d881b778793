"""Microsoft.Network/networkSecurityPerimeters/resourceAssociations."""
