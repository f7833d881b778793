"""Microsoft.Network/networkSecurityPerimeters/profiles."""
