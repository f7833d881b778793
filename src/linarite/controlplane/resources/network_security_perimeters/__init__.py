"""Microsoft.Network/networkSecurityPerimeters."""
